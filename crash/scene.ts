/** The one conversation that every process writes into. */
export const SHARED = 'shared';
export const KIND = { scorer: 'scorer', optionsKey: 'options' } as const;
export const LEASE_MS = 60_000;
/** Results as they are committed, with nothing that could hide a second one for the same job. */
export const RESULTS = 'CREATE TABLE IF NOT EXISTS crash_result (job TEXT NOT NULL, worker TEXT NOT NULL) STRICT';
