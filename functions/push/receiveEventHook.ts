import type { Endpoint } from '../../shared/action/endpoint.ts';

export const receiveEventHook: Endpoint = {
  name: 'receiveEventHook',
  room: 'push',
  method: 'POST',
  route: 'okta/events',
  summary: "Take in events of Okta's event hook",
  authLevel: 'anonymous',
  bodyLimitBytes: 1_048_576,
  times: { totalMs: 2_500, proofMs: 0 },
  run: async (request, call, services) => {
    const delivery = { secret: request.header('authorization'), readBody: () => request.readJson() };
    const outcome = await services().eventHookReceiver.receive(delivery, call);
    return { status: 204, outcome };
  },
};
