'use strict';

const { isMainThread } = require('node:worker_threads');

/*
 * Preloaded (`node --require`) into every process that we start: whoever started it holds the other end of stdin, and
 * when that end closes, even by SIGKILL, nobody is left to stop this process. Worker threads, which get the same
 * preload and a stdin that is closed from the start, are not asked.
 */
if (isMainThread) {
  process.stdin.once('close', () => {
    process.kill(process.pid, 'SIGTERM');
    setTimeout(() => process.exit(1), 3_000).unref();
  });
  process.stdin.resume();
  process.stdin.unref();
}
