export type AppSettings = Readonly<Record<string, string | undefined>>;

/** Puts app settings where a binding names them as `%NAME%`, as the host does with queue names and schedules. */
export function resolveSettings(text: string, settings: AppSettings): string {
  return text.replace(/%([^%]+)%/g, (_whole, name: string) => {
    const value = settings[name];
    if (value === undefined) throw new Error(`The app setting ${name} is not set, and "${text}" needs it.`);
    return value;
  });
}

/** The connection string that a trigger's `connection` names; the host looks with its own prefix first. */
export function connectionStringOf(connection: string, settings: AppSettings): string {
  const text = settings[`AzureWebJobs${connection}`] ?? settings[connection];
  if (text === undefined || text === '') {
    throw new Error(
      `The app setting ${connection} holds no connection string. The local host reads queues by connection string ` +
        'only, not by identity.',
    );
  }
  return text;
}
