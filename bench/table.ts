/** One measurement; `ratio` is value over baseline for tokens, and baseline over value (the speed-up) for time. */
export interface Case {
  readonly name: string;
  readonly value: number;
  readonly unit: 'tokens' | 'ms';
  readonly baseline: number;
  readonly ratio: number;
  readonly runs: number;
  readonly shape: Readonly<Record<string, string | number>>;
}

/** Prints measurements for a person: what, how much, against what, and how that stands to its goal. */
export function printTable(cases: readonly Case[]): void {
  const lines = cases.map((one) => [
    one.name,
    `${Math.round(one.value)} ${one.unit}`,
    `${Math.round(one.baseline)} ${one.unit}`,
    one.unit === 'ms' ? `${one.ratio.toFixed(2)}x faster` : one.ratio.toFixed(3),
    verdict(one),
  ]);
  const head = ['case', 'Turnwise', 'against', 'ratio', 'goal'];
  const widths = head.map((title, column) => Math.max(title.length, ...lines.map((line) => line[column]?.length ?? 0)));
  const row = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  const { model, threads, request, reply, action, placeholder } = cases[0]?.shape ?? {};
  const out = [
    `Model: ${model ?? ''}; ${threads ?? ''} thread(s).`,
    `Conversation: request of ${request ?? ''} tokens, then per turn a reply of ${reply ?? ''} and an action of ${action ?? ''}; placeholder of ${placeholder ?? ''}.`,
    'Tokens are compared with the causal limit, the fewest that an exact method can evaluate; time with T + 1 full passes over',
    'the transcript. The token bound is how much faster one could be if time were tokens.',
    '',
    row(head),
    row(widths.map((width) => '-'.repeat(width))),
    ...lines.map(row),
  ];
  process.stdout.write(`${out.join('\n')}\n`);
}

function verdict({ unit, ratio, shape, runs }: Case): string {
  const goal = Number(shape['goal']);
  if (unit === 'tokens') return `${ratio <= goal + 0.0005 ? 'met' : 'missed'}: at most ${goal.toFixed(2)} of the limit`;
  const share = Number(shape['share_of_bound']);
  const bound = Number(shape['token_bound']).toFixed(2);
  return `${share >= goal ? 'met' : 'missed'}: ${share.toFixed(2)} of the token bound ${bound}, at least ${goal}; median of ${runs}`;
}
