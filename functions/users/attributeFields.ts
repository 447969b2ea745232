import { Type } from '@sinclair/typebox';
import { addressList, nullable } from '../../shared/action/schemas.ts';
import { textListKeyword } from '../../shared/action/textLists.ts';
import type { AttributeValues } from '../../shared/attributes/attribute.ts';

/** What requests about sensitive attributes have in common. */

const phone = Type.String({ minLength: 1, maxLength: 64 });

/** To be written; what is left out stays. */
export const attributeBody = {
  accountEnabled: Type.Optional(Type.Boolean({ description: 'whether the user may sign in; false asks for confirm' })),
  mobilePhone: Type.Optional(
    nullable(Type.String({ ...phone, description: 'the mobile phone, up to 64 characters; null to clear it' })),
  ),
  businessPhones: Type.Optional(
    Type.Array(phone, {
      maxItems: 1,
      description: 'the business phones: Entra keeps one; empty to clear it',
      [textListKeyword]: true,
    }),
  ),
  otherMails: Type.Optional(
    addressList({ maxItems: 250, description: 'all further e-mail addresses; what the list lacks goes' }),
  ),
};

const phoneText = (description: string) => Type.Optional(Type.String({ maxLength: 64, description }));

/** As they should be; an empty text is none. */
export const attributeQuery = {
  accountEnabled: Type.Optional(Type.Boolean({ description: 'whether the user should be able to sign in' })),
  mobilePhone: phoneText('the mobile phone as it should be; empty: none'),
  businessPhones: phoneText('the business phone as it should be; empty: none'),
  otherMails: Type.Optional(
    Type.String({
      maxLength: 4_000,
      description: 'all further e-mail addresses as they should be, separated by commas; empty: none',
    }),
  ),
};

interface AttributeTexts {
  readonly accountEnabled?: boolean;
  readonly mobilePhone?: string;
  readonly businessPhones?: string;
  readonly otherMails?: string;
}

export function readAttributeValues(texts: AttributeTexts): AttributeValues {
  const { accountEnabled, mobilePhone, businessPhones, otherMails } = texts;
  return {
    ...(accountEnabled !== undefined && { accountEnabled }),
    ...(mobilePhone !== undefined && { mobilePhone: textOrNone(mobilePhone) }),
    ...(businessPhones !== undefined && { businessPhones: entriesOf(businessPhones) }),
    ...(otherMails !== undefined && { otherMails: otherMails.split(/[,;]/).flatMap(entriesOf) }),
  };
}

export function textOrNone(text: string): string | null {
  return entriesOf(text)[0] ?? null;
}

function entriesOf(text: string): string[] {
  const entry = text.trim();
  return entry === '' ? [] : [entry];
}
