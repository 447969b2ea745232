// Template ids of directory roles (graph.md §4) and ids of app roles (exchange.md §3).

export const directoryRoles = {
  globalAdministrator: '62e90394-69f5-4237-9190-012177145e10',
  helpdeskAdministrator: '729827e3-9c14-49f7-bb1b-9608f156bbb8',
  exchangeAdministrator: '29232cdf-9323-42fd-ade2-1d097af3e4de',
  exchangeRecipientAdministrator: '31392ffb-586c-42d1-9346-e59415a2cc4e',
  globalReader: 'f2ef992c-3afb-46b9-b7cf-a126ee74c451',
} as const;

export const graphAppId = '00000003-0000-0000-c000-000000000000';
export const exchangeAppId = '00000002-0000-0ff1-ce00-000000000000';
export const exchangeManageAsApp = {
  value: 'Exchange.ManageAsApp',
  id: 'dc50a0fb-09a3-484d-be87-e023b12c6440',
} as const;
