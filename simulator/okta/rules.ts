import type { OktaUser } from './model.ts';

const form = /^user\.(\w+)\s*==\s*"([^"]*)"$/;

/** `user.attribute=="value"` is the one form of expression that is modelled (facts.oktaRules). */
export const isModelledExpression = (expression: string): boolean => form.test(expression);

export function ruleMatches(expression: string, user: OktaUser): boolean {
  const [, attribute = '', value] = form.exec(expression) ?? [];
  return user.profile[attribute] === value;
}
