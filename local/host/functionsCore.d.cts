import type {
  CoreState,
  FunctionCallback,
  FunctionMetadata,
  HookCallback,
  LogCategory,
  LogLevel,
  ProgrammingModel,
} from './coreTypes.ts';

interface Disposable {
  dispose(): unknown;
}

interface FunctionsCore {
  version: string;
  hostVersion: string;
  Disposable: {
    new (callOnDispose: () => unknown): Disposable;
    from(...disposables: { dispose(): unknown }[]): Disposable;
  };
  registerFunction(metadata: FunctionMetadata, callback: FunctionCallback): Disposable;
  registerHook(name: string, callback: HookCallback): Disposable;
  setProgrammingModel(model: ProgrammingModel): void;
  getProgrammingModel(): ProgrammingModel | null;
  log(level: LogLevel, category: LogCategory, message: string): void;
  /** Not Microsoft's: how our host reaches what was registered. */
  state: CoreState;
}

declare const core: FunctionsCore;
export = core;
