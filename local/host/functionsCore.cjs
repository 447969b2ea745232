'use strict';

/*
 * Stands in for `@azure/functions-core`, which in Azure the Node.js worker provides by replacing `require`
 * (azure-functions-nodejs-worker, src/setupCoreModule.ts). CommonJS because @azure/functions `require`s it.
 *
 * The state is on globalThis: jest's module registry and Node may each load a copy of this file, and both have to mean
 * the same host.
 */
const stateKey = Symbol.for('okta-m365-actions.local-host');
const state = (globalThis[stateKey] ??= { loading: null, running: new Set(), programmingModel: null });

// The host's names (functions.md §2); the lookahead is the host's own.
const functionName = /^(?!host$)[a-z][a-z0-9_-]{0,127}$/i;
const bindingName = /^[a-z][a-z0-9]{0,127}$/i;
const returnBinding = '$return';

class AzFuncSystemError extends Error {
  isAzureFunctionsSystemError = true;
}

class AzFuncRangeError extends RangeError {
  isAzureFunctionsSystemError = true;
}

class Disposable {
  #callOnDispose;

  static from(...disposables) {
    return new Disposable(() => disposables.forEach((each) => each.dispose()));
  }

  constructor(callOnDispose) {
    this.#callOnDispose = callOnDispose;
  }

  dispose() {
    const call = this.#callOnDispose;
    this.#callOnDispose = undefined;
    return call?.();
  }
}

function registerFunction(metadata, callback) {
  const sink = state.loading;
  if (!sink) throw new AzFuncSystemError('A function can only be registered during app startup.');

  const id = metadata.functionId || metadata.name;
  if (sink.functions.has(id)) {
    throw new AzFuncSystemError(`A function with id "${id}" has already been registered.`);
  }
  if (!functionName.test(metadata.name)) {
    throw new AzFuncSystemError(`'${metadata.name}' is not a valid function name.`);
  }
  for (const name of Object.keys(metadata.bindings)) {
    if (name !== returnBinding && !bindingName.test(name)) {
      throw new AzFuncSystemError(`The binding name ${name} is invalid. Please assign a valid name to the binding.`);
    }
  }

  sink.functions.set(id, { metadata: { ...metadata, functionId: id }, callback });
  return new Disposable(() => {
    if (state.loading !== sink) throw new AzFuncSystemError('A function can only be disposed during app startup.');
    sink.functions.delete(id);
  });
}

function registerHook(name, callback) {
  const hooks = state.loading?.hooks;
  if (!hooks) throw new AzFuncSystemError('A hook can only be registered during app startup.');
  // The log hook is a preview that needs a newer worker; @azure/functions turns this error into those words.
  if (!Object.hasOwn(hooks, name)) throw new AzFuncRangeError(`Unrecognized hook "${name}"`);
  hooks[name].push(callback);
  return new Disposable(() => {
    hooks[name] = hooks[name].filter((each) => each !== callback);
  });
}

module.exports = {
  // Versions of the worker and host whose behaviour is imitated (functions.md §2, §4).
  version: '3.12.0',
  hostVersion: '4.1037.0',
  Disposable,
  registerFunction,
  registerHook,
  setProgrammingModel(model) {
    state.programmingModel = model;
  },
  getProgrammingModel() {
    return state.programmingModel;
  },
  log(level, category, message) {
    const sinks = state.loading ? [state.loading] : state.running;
    for (const sink of sinks) sink.log(level, category, message);
  },
  // Not Microsoft's: how our host reaches what was registered.
  state,
};
