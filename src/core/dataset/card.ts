import { splitFiles, type Manifest } from './manifest.ts';

/** `README.md` of a dataset: front matter by which readers find the two configs, then what a trainer must know. */
export function datasetCard(manifest: Omit<Manifest, 'files'>, notice: string | null): string {
  const { splits, credit_options: credit, score_options: scored, scorer } = manifest;
  const config = (name: 'episodes' | 'turns'): string[] => [
    `  - config_name: ${name}`,
    ...(name === 'episodes' ? ['    default: true'] : []),
    '    data_files:',
    ...splits.flatMap(({ split }) => [`      - split: ${split}`, `        path: ${splitFiles(split)[name]}`]),
  ];
  const rows = splits.map(
    ({ split, rows: n, turns, batch_id, batch_n }) =>
      `| ${split} | ${n} | ${turns} | ${batch_n} | ${batch_id === null ? 'none' : `\`${batch_id.slice(0, 16)}\``} |`,
  );
  const refused = manifest.refused.map(({ reason, episodes }) => `- ${reason}: ${episodes}`);
  return [
    '---',
    'configs:',
    ...config('episodes'),
    ...config('turns'),
    'tags:',
    '  - turnwise',
    '  - multi-turn',
    '  - reinforcement-learning',
    '---',
    '',
    '# Clarifying dialogues with credit per turn',
    '',
    'Conversations in which an agent asks before it codes, exported by Turnwise. Each agent turn carries its information gain',
    "(how much the developer's reply changed what the agent did next, in nats) and an advantage in which gain and outcome are",
    'fused (InfoPO, [arXiv 2603.00656](https://arxiv.org/abs/2603.00656)).',
    '',
    '| split | episodes | turns | in the batch | batch |',
    '| --- | --- | --- | --- | --- |',
    ...rows,
    '',
    ...(notice === null ? [] : [`Note: ${notice}`, '']),
    '## Reading it',
    '',
    '- `episodes` (default): one row per episode. `input_ids` are the exact tokens of the conversation, `loss_mask` is 1 on',
    '  tokens that the policy sampled and nobody touched, `token_advantages` holds the advantage of their turn. Where the chat',
    '  template rewrites history, `input_ids` is null and `segments` holds one rendered context per action.',
    '- `turns`: one row per agent turn, derived from the episodes, for analysis.',
    '- `human_label` (harmful, needless, unclear, useful, essential) and `human_note` are what a reviewer said of an episode or a',
    '  turn; `thumb` is what the developer said in the chat. What a reviewer left out is `excluded`: `loss_mask` 0, gain kept.',
    '- A number that is not known is null, with its reason beside it; 0 always means zero.',
    '- `prompt`, `messages`, `data_source`, `ability`, `reward_model` and `extra_info` are named as common trainers expect.',
    '- `fusion` and the rows of the same batch are enough to compute every advantage again; `turnwise verify` does.',
    '- The `.jsonl` files hold the same rows as the Parquet files beside them.',
    '',
    '## How it was made',
    '',
    scorer === null || scored === null
      ? '- No episode has scores.'
      : `- Scorer: \`${scorer.id}\`${scorer.revision === null ? '' : ` (revision ${scorer.revision})`} on ${scorer.backend}; estimator ${scored.estimator}, mask ${scored.mask_mode}, placeholder ${JSON.stringify(scored.placeholder)}.`,
    ...(credit === null
      ? []
      : [
          `- Credit: preset ${credit.preset}, beta ${credit.beta}, T ${credit.gate_temperature}, norm ${credit.norm}, pool ${credit.pool} by ${credit.pool_by}, singleton ${credit.singleton}.`,
        ]),
    `- Episodes without scores: ${manifest.unscored}.`,
    ...(refused.length === 0 ? [] : ['', 'Left out:', '', ...refused]),
    '',
    'Only episodes that were simulated, brought in from a file, or released by the developer are here. A secret is replaced by a',
    'placeholder (`<redacted:KIND:NUMBER>`, the same for the same secret); such a row is text only (`redaction.token_level_valid` is',
    'false). `person` is a salted hash and can be used to split by person.',
    '',
  ].join('\n');
}
