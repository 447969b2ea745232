import type { Call } from '../call.ts';
import type { FaultCode } from '../errors.ts';
import type { MatchedBy, PushPerson } from './people.ts';
import type { SourcePerson } from './source.ts';

/** Who somebody of the source is in Entra. */
export type Match =
  | { readonly type: 'matched'; readonly entraId: string; readonly label: string; readonly matchedBy: MatchedBy }
  | {
      /** `changed`: is somebody else than it was; the pin holds until a person lets it go. */
      readonly type: 'failed' | 'changed';
      readonly code: FaultCode;
      readonly message: string;
    };

export interface PushMatcher {
  /**
   * Who each of these is, by Okta user id: by the external id of the Office 365 app's user, else by exact UPN, never by
   * another address. A pin is believed while nothing speaks against it.
   * @param pins what is known of them already, by Okta user id
   * @throws Fault of an upstream that cannot be asked for now: never an answer that somebody is nobody
   */
  match(
    people: readonly SourcePerson[],
    pins: ReadonlyMap<string, PushPerson>,
    oktaAppId: string | null,
    options: {
      /** Whether pins are held against the accounts in the app; else only those of people whose login has changed. */
      readonly verifyPins: boolean;
    },
    call: Call,
  ): Promise<ReadonlyMap<string, Match>>;
}
