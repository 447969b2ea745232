/** An answer of Exchange on its way to the app. */
interface Passing {
  cmdlet: string;
  isBatch: boolean;
  /** Which one of the same cmdlet it is, from 1. */
  nth: number;
  text: string;
}

/** The app's way out, for what the simulator cannot do. */
interface Wire {
  fetch: typeof fetch;
  /** Gives back what arrives in the app; when it throws, the connection is lost instead. */
  onAnswer(change: (answer: Passing) => string): void;
}

export function createWire(): Wire {
  let change = ({ text }: Passing): string => text;
  const seen = new Map<string, number>();
  return {
    fetch: async (input, init) => {
      const response = await fetch(input, init);
      const cmdlet = /"CmdletName":"([^"]+)"/.exec(typeof init?.body === 'string' ? init.body : '')?.[1];
      if (cmdlet === undefined) return response;
      const nth = (seen.get(cmdlet) ?? 0) + 1;
      seen.set(cmdlet, nth);
      const isBatch = response.url.endsWith('/$batch');
      const text = change({ cmdlet, isBatch, nth, text: await response.text() });
      return new Response(text, { status: response.status, headers: response.headers });
    },
    onAnswer: (each) => {
      change = each;
      seen.clear();
    },
  };
}
