import { randomBytes, randomUUID } from 'node:crypto';
import { coreState } from './appState.ts';
import type {
  CoreInvocationContext,
  FunctionCallback,
  FunctionMetadata,
  HookName,
  LogCategory,
  LogLevel,
  RpcTypedData,
  Sink,
} from './coreTypes.ts';

export interface Invocation {
  metadata: FunctionMetadata;
  callback: FunctionCallback;
  trigger: { name: string; data: RpcTypedData; metadata?: Record<string, RpcTypedData> };
  traceParent?: string | undefined;
  hooks: Sink['hooks'];
  log(invocationId: string, level: LogLevel, category: LogCategory, message: string): void;
}

/** One call of a function, in the order of the worker's InvocationHandler.ts; the hooks see what its hooks see. */
export async function invoke(invocation: Invocation): Promise<RpcTypedData | null | undefined> {
  const { metadata, trigger, hooks } = invocation;
  const invocationId = randomUUID();
  const core: CoreInvocationContext = {
    invocationId,
    metadata,
    request: {
      invocationId,
      functionId: metadata.functionId ?? metadata.name,
      inputData: [{ name: trigger.name, data: trigger.data }],
      triggerMetadata: trigger.metadata ?? {},
      traceContext: { traceParent: invocation.traceParent ?? newTraceParent(), traceState: '', attributes: {} },
    },
    log: (level, category, message) => invocation.log(invocationId, level, category, message),
  };
  if (!coreState.programmingModel) throw new Error('No programming model was set: was @azure/functions loaded?');
  const model = await coreState.programmingModel.getInvocationModel(core);
  const { context, inputs } = await model.getArguments();

  const hookData = {};
  const before = { hookData, invocationContext: context, inputs, functionCallback: invocation.callback };
  core.state = 'preInvocationHooks';
  await runHooks(hooks, 'preInvocation', before);

  const after: { error: unknown; result: unknown } & Record<string, unknown> = {
    hookData,
    invocationContext: context,
    inputs: before.inputs,
    result: null,
    error: null,
  };
  core.state = 'invocation';
  try {
    after.result = await model.invokeFunction(context, before.inputs, before.functionCallback);
  } catch (error) {
    // A thrown null would pass for success, as it does in the worker.
    after.error = error;
  }
  core.state = 'postInvocationHooks';
  await runHooks(hooks, 'postInvocation', after);
  core.state = undefined;
  if (after.error !== null && after.error !== undefined) throw after.error as Error;

  return (await model.getResponse(context, after.result)).returnValue;
}

export async function runHooks(hooks: Sink['hooks'], name: HookName, context: object): Promise<void> {
  for (const hook of hooks[name]) await hook(context);
}

function newTraceParent(): string {
  const ids = randomBytes(24).toString('hex');
  return `00-${ids.slice(0, 32)}-${ids.slice(32)}-00`;
}
