import { isObject } from '../../http/json.ts';
import type { LogEvent } from '../events.ts';
import type { Delivery, EventHook } from '../model.ts';

/** Without keys that hold nothing: 2020's bodies dropped them (okta.md §1.2). */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, item]) => item !== null)
      .map(([key, item]) => [key, withoutNulls(item)]),
  );
}

function asDelivered(event: LogEvent, hookIds: readonly string[], { nullTargets, legacyEnvelope }: Delivery): unknown {
  const { debugData } = event.debugContext;
  const delivered = {
    ...event,
    target: nullTargets && event.eventType === 'user.account.update_profile' ? null : event.target,
    debugContext: { debugData: { ...debugData, targetEventHookIds: hookIds.join(',') } },
  };
  return legacyEnvelope ? withoutNulls(delivered) : delivered;
}

/** The body of a delivery (okta.md §1.2). */
export function envelope(
  hook: EventHook,
  events: readonly LogEvent[],
  { eventId, eventTime, origin, delivery }: { eventId: string; eventTime: string; origin: string; delivery: Delivery },
): Record<string, unknown> {
  return {
    eventType: 'com.okta.event_hook',
    eventTypeVersion: '1.0',
    cloudEventsVersion: '0.1',
    source: `${origin}/api/v1/eventHooks/${hook.id}`,
    [delivery.legacyEnvelope ? 'eventID' : 'eventId']: eventId,
    data: { events: events.map((event) => asDelivered(event, [hook.id], delivery)) },
    eventTime,
    contentType: 'application/json',
  };
}
