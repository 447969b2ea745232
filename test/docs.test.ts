import { readFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { actions } from '../functions/register.ts';
import { attributeFindingCodes } from '../shared/attributes/findings.ts';
import { readConfig } from '../shared/config.ts';
import { standingCodes } from '../shared/dirsync/standing.ts';
import { faultTable } from '../shared/errors.ts';
import { eventHookScopes, readScopes, rolesFor } from '../shared/okta/scopes.ts';
import { defaultSettings } from '../shared/push/mappings/mappingSettings.ts';

const read = (path: string) => readFile(new URL(`../${path}`, import.meta.url), 'utf8');

/** The names that a document sets as code in the first column of its tables. */
function firstColumn(markdown: string): string[] {
  const cells = markdown.split('\n').flatMap((line) => /^\| (.+?) \|/.exec(line)?.[1] ?? []);
  return cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name ?? ''));
}

describe('the documents', () => {
  it('list every fault code with its status, title and whether it may be repeated', async () => {
    const replies = await read('docs/replies.md');
    for (const [code, { status, title, retryable }] of Object.entries(faultTable)) {
      const row = new RegExp(`\\| \`${code}\` +\\| ${status} +\\| ${title} +\\| ${retryable ? 'yes' : 'no'} +\\|`);
      expect(replies).toMatch(row);
    }
    const codes = firstColumn(replies.slice(replies.indexOf('## Problems')));
    expect(codes.sort()).toEqual(Object.keys(faultTable).sort());
  });

  it('explain every setting of the sample, and no other', async () => {
    const { Values: values } = JSON.parse(await read('local.settings.sample.json')) as {
      Values: Record<string, string>;
    };
    const readme = await read('README.md');
    const explained = firstColumn(readme.slice(readme.indexOf('### Settings')));
    expect(explained.filter((name) => !name.startsWith('AzureWebJobsStorage__')).sort()).toEqual(
      Object.keys(values).sort(),
    );
  });

  it('name every setting that the configuration reads', async () => {
    const asked = new Set<string>();
    const env = (values: Record<string, string>) =>
      new Proxy(values, {
        get: (target, name) => {
          asked.add(String(name));
          return target[String(name)];
        },
      });
    for (const credential of ['managedIdentity', 'clientSecret', 'clientCertificate']) {
      readConfig(env({ CREDENTIAL: credential }));
    }
    const explained = new Set(firstColumn(await read('README.md')));
    expect([...asked].filter((name) => !explained.has(name))).toEqual([]);
  });

  it('name every action with its method and route', async () => {
    const readme = await read('README.md');
    for (const { name, method, route } of actions) {
      expect(readme).toMatch(new RegExp(`\\| ${name} +\\| \`${method} ${route.replace(/[{}]/g, '\\$&')}`));
    }
  });

  it('name every scope of Okta that Group Push needs, with its role', async () => {
    const push = await read('docs/group-push.md');
    for (const scope of [...readScopes, ...eventHookScopes]) {
      expect(push).toMatch(new RegExp(`\\n\\| \`${scope}\` +\\| ${rolesFor[scope]} +\\|`));
    }
  });

  it('explain every setting of a push mapping', async () => {
    const push = await read('docs/group-push.md');
    const explained = firstColumn(push.slice(push.indexOf('## Link or create'), push.indexOf('## What a mapping')));
    expect(explained.sort()).toEqual([...Object.keys(defaultSettings), 'closeMembership'].sort());
  });

  it('explain every finding about an attribute', async () => {
    const sync = await read('docs/attribute-sync.md');
    const explained = firstColumn(sync.slice(sync.indexOf('## Findings'), sync.indexOf('**(a) or (b).**')));
    expect(explained.sort()).toEqual([...attributeFindingCodes].sort());
  });

  it('explain how the phones of a user from on-premises may stand to each other', async () => {
    const sync = await read('docs/attribute-sync.md');
    const explained = firstColumn(
      sync.slice(sync.indexOf('5. **Back**'), sync.indexOf('**Microsoft documents')),
    ).filter((name) => name !== 'code');
    expect(explained.sort()).toEqual([...standingCodes].sort());
  });
});
