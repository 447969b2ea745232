import type { BindingInfo, FunctionCallback, FunctionMetadata, RpcTypedData } from './coreTypes.ts';

/** What the app has registered, with its trigger found among the bindings. */
export interface HostedFunction {
  metadata: FunctionMetadata;
  callback: FunctionCallback;
  trigger: BindingInfo & { name: string };
}

/** What a trigger hands to a function. */
export interface TriggerInput {
  data: RpcTypedData;
  metadata?: Record<string, RpcTypedData>;
  traceParent?: string | undefined;
}

/** Invokes a function. @throws what the function threw, once it is logged */
export type RunFunction = (target: HostedFunction, input: TriggerInput) => Promise<RpcTypedData | null | undefined>;

export function toHostedFunction(registered: { metadata: FunctionMetadata; callback: FunctionCallback }) {
  const { metadata } = registered;
  const found = Object.entries(metadata.bindings).find(([, binding]) => /trigger$/i.test(binding.type));
  if (!found) throw new Error(`The function "${metadata.name}" has no trigger.`);
  const hosted: HostedFunction = { ...registered, trigger: { ...found[1], name: found[0] } };
  return hosted;
}

export function isTriggeredBy({ trigger }: HostedFunction, type: 'http' | 'queue' | 'timer'): boolean {
  return trigger.type.toLowerCase() === `${type}trigger`;
}
