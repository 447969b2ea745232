import { processEnvironment } from '../shared/config.ts';
import { register } from './register.ts';

// What the Azure Functions worker loads through `main`.
register({ env: processEnvironment });
