/** Kinds of servers that score given tokens; what a command line, a profile and a recorded scorer call them. */
export const SCORER_KINDS = ['engine', 'vllm', 'sglang', 'llama-server', 'openai-completions'] as const;
export type ScorerKind = (typeof SCORER_KINDS)[number];
