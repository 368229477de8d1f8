import type { ScorerFacts } from '../../core/backend.ts';
import type { Check } from './check.ts';

/** What the server can do, as learned at connect; what would make it better is the server's own advice. */
export function checkCapabilities({ capabilities, advice, contextSize }: ScorerFacts): Check {
  const { reusesPrefix, deterministic, countsTokens, concurrency } = capabilities;
  const missing = reusesPrefix
    ? []
    : ['It evaluates every sequence whole, so that scoring costs several times what it must.'];
  return {
    id: 'capabilities',
    state: advice.length > 0 || missing.length > 0 ? 'warn' : 'ok',
    values: [
      { name: 'reuses shared prefixes', value: reusesPrefix, unit: '' },
      { name: 'deterministic', value: deterministic, unit: '' },
      { name: 'counts evaluated tokens', value: countsTokens, unit: '' },
      { name: 'requests side by side', value: concurrency, unit: '' },
      { name: 'longest sequence', value: contextSize, unit: 'tokens' },
    ],
    sentence: [...missing, ...advice].join(' ') || 'The server can do all that exact and cheap scoring needs.',
  };
}
