import { json, type Reply } from '../http/message.ts';

export const refuse = (...faults: string[]): Reply => json(400, { error: faults.join('; '), faults });
