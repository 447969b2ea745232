import { type AppSettings, resolveSettings } from '../appSettings.ts';
import type { RpcTypedData } from '../coreTypes.ts';
import { type HostedFunction, isTriggeredBy, type RunFunction } from '../hostedFunction.ts';
import { parseSchedule, type Schedule } from './schedule.ts';

export interface TimerTriggersOptions {
  functions: readonly HostedFunction[];
  appSettings: AppSettings;
  /** False: nothing is fired but by hand. */
  isOn: boolean;
  run: RunFunction;
}

export interface TimerTriggers {
  /** Fires the timer now, whatever its schedule. @throws what the function threw */
  fire(target: HostedFunction): Promise<void>;
  /** Fires nothing more. Who is under way is the caller's to wait for. */
  stop(): void;
}

interface Timer {
  target: HostedFunction;
  schedule: Schedule;
  lastAt: Date | null;
}

// DateTime's default in .NET: this timer has not yet fired.
const never = '0001-01-01T00:00:00';

/** @throws for a schedule that Azure would not read */
export function startTimerTriggers({ functions, appSettings, isOn, run }: TimerTriggersOptions): TimerTriggers {
  const timers = functions
    .filter((each) => isTriggeredBy(each, 'timer'))
    .map((target): Timer => {
      const expression = resolveSettings(String(target.trigger.schedule), appSettings);
      return { target, schedule: parseSchedule(expression), lastAt: null };
    });

  const fire = async (timer: Timer) => {
    const firedAt = new Date();
    try {
      await run(timer.target, { data: timerInfo(timer, firedAt) });
    } finally {
      timer.lastAt = firedAt;
    }
  };
  // What it threw is logged where it ran; a timer has nobody else to tell, and comes again by schedule.
  const fireUnheard = (timer: Timer) => fire(timer).catch(() => undefined);

  const stops = isOn ? timers.map((timer) => timer.schedule.start(() => fireUnheard(timer))) : [];
  if (isOn) for (const timer of timers) if (timer.target.trigger.runOnStartup === true) void fireUnheard(timer);

  return {
    fire: async (target) => {
      const timer = timers.find((each) => each.target === target);
      if (timer) await fire(timer);
    },
    stop: () => stops.forEach((stop) => stop()),
  };
}

/**
 * TimerInfo.cs of azure-webjobs-sdk-extensions. The status lives as long as this process: where the real host, with
 * its record in Blob storage, would fire what was missed while it was down, this one starts anew.
 */
function timerInfo({ target, schedule, lastAt }: Timer, now: Date): RpcTypedData {
  const isMonitored = target.trigger.useMonitor !== false;
  const status = {
    Last: lastAt?.toISOString() ?? never,
    Next: schedule.next(now)?.toISOString() ?? never,
    LastUpdated: lastAt?.toISOString() ?? never,
  };
  const info = { Schedule: { AdjustForDST: true }, ScheduleStatus: isMonitored ? status : null, IsPastDue: false };
  return { json: JSON.stringify(info) };
}
