export type Upstream = 'graph' | 'exchange' | 'okta' | 'login' | 'identity';
