/** `npm run demo`: plays the main job on the embedded default, and fails loudly where it goes otherwise than told. */
import { attributeSync, grantSynchronization } from './demo/attributeSync.ts';
import { everyKind } from './demo/everyKind.ts';
import { exactMembership } from './demo/exactMembership.ts';
import { groupPush } from './demo/groupPush.ts';
import { immutableId } from './demo/immutableId.ts';
import { mailEnabledSecurityGroup } from './demo/mailEnabledSecurityGroup.ts';
import { createStory, type Story } from './demo/story.ts';
import { whoDidWhat } from './demo/whoDidWhat.ts';
import { startEverything } from './everything.ts';

const scenes: readonly ((story: Story) => Promise<void>)[] = [
  mailEnabledSecurityGroup,
  everyKind,
  exactMembership,
  groupPush,
  immutableId,
  attributeSync,
  whoDidWhat,
];

const startedAtMs = performance.now();
const log: string[] = [];
const everything = await startEverything({ onLog: (line) => void log.push(line) });
try {
  const story = createStory(everything, (line) => console.log(line));
  story.say('A simulated tenant, Azurite and the functions, each a process on this machine; nothing leaves it.');
  await grantSynchronization(story);
  for (const scene of scenes) {
    story.say('');
    await scene(story);
  }
  story.say('');
  story.say(
    `All as told, in ${((performance.now() - startedAtMs) / 1000).toFixed(1)} s. \`npm start\` lets you try it by curl.`,
  );
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  console.error(['', 'The last lines of the log:', ...log.slice(-20)].join('\n'));
  process.exitCode = 1;
} finally {
  await everything.close();
}
