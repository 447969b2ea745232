import { json } from '../../http/message.ts';
import { notFound } from '../errors.ts';
import type { OktaOperation } from '../operation.ts';
import { page } from '../paging.ts';
import { ruleRow } from '../render.ts';

const read = { scopes: ['okta.groups.read'], capability: 'groups.read' } as const;

const listRules: OktaOperation = {
  method: 'GET',
  path: '/groups/rules',
  ...read,
  query: ['limit', 'after'],
  run: ({ call, org }) => page(call, { byDefault: 50, most: 200 }, (position) => org.rules.after(position), ruleRow),
};

const getRule: OktaOperation = {
  method: 'GET',
  path: '/groups/rules/*',
  ...read,
  run({ org, params: [id = ''] }) {
    const rule = org.rules.get(id);
    if (!rule) throw notFound(id, 'GroupRule');
    return json(200, ruleRow(rule));
  },
};

export const groupRuleOperations: readonly OktaOperation[] = [listRules, getRule];
