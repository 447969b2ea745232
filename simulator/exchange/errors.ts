import { createHash } from 'node:crypto';
import { json, type Reply } from '../http/message.ts';

/** .NET types by which errors are told apart: exchange.md §1.7. */
export const types = {
  notFound: 'Microsoft.Exchange.Configuration.Tasks.ManagementObjectNotFoundException',
  ambiguous: 'Microsoft.Exchange.Configuration.Tasks.ManagementObjectAmbiguousException',
  memberExists: 'Microsoft.Exchange.Management.Tasks.MemberAlreadyExistsException',
  memberNotFound: 'Microsoft.Exchange.Management.Tasks.MemberNotFoundException',
  addressInUse: 'Microsoft.Exchange.Management.Tasks.WLCDManagedMemberExistsException',
  objectExists: 'Microsoft.Exchange.Data.Directory.ADObjectAlreadyExistsException',
  lastOwner: 'Microsoft.Exchange.Management.Tasks.MinGroupOwnersCriteriaBreachedException',
  recipientTask: 'Microsoft.Exchange.Management.Tasks.RecipientTaskException',
  dataValidation: 'Microsoft.Exchange.Data.DataValidationException',
  unknownParameter: 'Microsoft.Exchange.AdminApi.CommandInvocation.AmbiguousParameterSetException',
  transformation: 'Microsoft.Exchange.AdminApi.CommandInvocation.ParameterTransformationException',
  // facts.directorySyncedType, facts.notInOrganizationType
  invalidOperation: 'System.InvalidOperationException',
} as const;

const ODATA_EXCEPTION = 'Microsoft.Exchange.Admin.OData.Core.ODataServiceException';

// Known hashes of exchange.md §1.7; the others are made up (facts.errorHashes).
const knownHashes: Record<string, string> = { [types.notFound]: 'Ex6F9304', [types.addressInUse]: 'ExB10BE9' };

const hashOf = (type: string): string =>
  knownHashes[type] ?? `Ex${createHash('sha256').update(type).digest('hex').slice(0, 6).toUpperCase()}`;

export class ExchangeError extends Error {
  readonly status: number;
  readonly body: object;

  constructor(status: number, message: string, body: object) {
    super(message);
    this.name = 'ExchangeError';
    this.status = status;
    this.body = body;
  }
}

export const errorReply = (error: ExchangeError): Reply => json(error.status, error.body);

/** E10: what a cmdlet itself throws. */
export function cmdletError(type: string, text: string, status = 400): ExchangeError {
  return new ExchangeError(status, text, {
    error: {
      code: status === 404 ? 'NotFound' : 'BadRequest',
      message: 'Error executing cmdlet',
      details: [{ code: 'Context', target: '', message: `${hashOf(type)}|${type}|${text}` }],
      innererror: {
        message: 'Error executing cmdlet',
        type: ODATA_EXCEPTION,
        stacktrace: '   at Microsoft.Exchange.AdminApi.CommandInvocation.CommandInvocation.InvokeCommand()',
      },
    },
  });
}

const invalidOperation = (type: string, text: string, details?: object[], extra = {}): ExchangeError =>
  new ExchangeError(400, text, {
    error: {
      code: 'BadRequest',
      message: 'Invalid Operation',
      ...(details ? { details } : {}),
      innererror: {
        message: 'Invalid Operation',
        type: ODATA_EXCEPTION,
        stacktrace: '',
        internalexception: { message: text, type, stacktrace: '' },
      },
      ...extra,
    },
  });

/** E9 */
export function unknownParameter(names: readonly string[]): ExchangeError {
  const text = `Parameter set cannot be resolved using the specified named parameters. Invalid cmdlet parameters specified. ${names.join(', ')}`;
  return invalidOperation(types.unknownParameter, text, [
    { code: 'Client', target: '', message: `|${types.unknownParameter}|${text}` },
  ]);
}

/** E8 */
export const wrongValue = (parameter: string, reason: string): ExchangeError =>
  invalidOperation(
    types.transformation,
    `Cannot process argument transformation on parameter '${parameter}'. ${reason}`,
    undefined,
    { 'adminapi.warnings@odata.type': '#Collection(String)', '@adminapi.warnings': [] },
  );

/** E12 */
export const badPage = (): ExchangeError =>
  invalidOperation('System.Exception', 'Expired or Invalid pagination request. Default Expiry time is 00:30:00');

/** A request that does not have the shape of InvokeCommand or $batch: facts.malformedRequest. */
export const malformed = (text: string): ExchangeError => invalidOperation(ODATA_EXCEPTION, text);

export const notModelled = (what: string): ExchangeError =>
  new ExchangeError(501, what, {
    error: { code: 'NotImplemented', message: `The simulator does not model ${what}.` },
  });
