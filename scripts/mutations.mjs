/**
 * One fault per check of a client: the check is taken out, and the named test must fail. `from` must stand in the file exactly
 * once.
 * @typedef {{ check: string, file: string, from: string, to: string, test: string, name: string }} Mutation
 */

const VLLM = 'test/backends/contract/vllm.test.ts';
const SGLANG = 'test/backends/contract/sglang.test.ts';
const LLAMA = 'test/backends/contract/llama-server.test.ts';
const ECHO = 'test/backends/contract/completions.test.ts';
const ENGINE = 'test/backends/engine.test.ts';

/** @type {(file: string) => (check: string, from: string, to: string, test: string, name: string) => Mutation} */
const within = (file) => (check, from, to, test, name) => ({
  check,
  file: `src/backends/${file}`,
  from,
  to,
  test,
  name,
});

const rows = within('prompt-rows.ts');
const scores = within('check-scores.ts');
const json = within('json-client.ts');
const body = within('http-body.ts');
const refusal = within('http-refusal.ts');
const text = within('scorer-text.ts');
const model = within('remote-model.ts');
const self = within('self-check.ts');
const once = within('learn-once.ts');
const vllm = within('vllm.ts');
const remote = within('remote-scorer.ts');
const sessions = within('sessions.ts');
const vllmRequest = within('vllm-request.ts');
const vllmPieces = within('vllm-pieces.ts');
const vllmConnect = within('vllm-connect.ts');
const sglang = within('sglang.ts');
const sglangRequest = within('sglang-request.ts');
const sglangConnect = within('sglang-connect.ts');
const llama = within('llama-server.ts');
const llamaRequest = within('llama-request.ts');
const llamaConnect = within('llama-connect.ts');
const echo = within('openai-completions.ts');
const echoRequest = within('echo-request.ts');

/** @type {readonly Mutation[]} */
export const MUTATIONS = [
  rows(
    'more rows than tokens',
    'if (first + rows.length > ids.length) {',
    'if (false) {',
    VLLM,
    'vLLM \\(.* rows: wrong_count',
  ),
  rows(
    'fewer rows than asked',
    'if (first > from || first + rows.length < to) {',
    'if (false) {',
    VLLM,
    'vLLM \\(.* rows: short',
  ),
  rows(
    'a first row that must be empty',
    'if (firstIsEmpty && head !== null',
    'if (false && head !== null',
    SGLANG,
    'rows: missing_first',
  ),
  rows(
    'rows taken from the cache',
    'if (cached !== null && cached > from - 1) {',
    'if (false) {',
    SGLANG,
    'rows: stale',
  ),
  rows(
    'no row',
    "if (row === null) throw rowError(server, 'nan_row', `no row for position ${position}`);",
    'if (row === null) return -1;',
    VLLM,
    'vLLM \\(.* rows: no_row',
  ),
  rows('a row of another token', 'if (row.id !== id) throw', 'if (false) throw', SGLANG, 'rows: wrong_token'),
  rows('the rank', 'if (rank !== null && (rank < 1', 'if (rank !== null && (false', VLLM, 'vLLM \\(.* rows: rank_zero'),

  scores(
    'NaN',
    "throw rowError(server, 'nan_row', 'nothing where",
    "return -1; throw rowError(server, 'nan_row', 'nothing where",
    SGLANG,
    'rows: nan',
  ),
  scores(
    'infinity',
    'if (!Number.isFinite(value) || value > HIGHEST || value < LOWEST) {',
    'if (value > HIGHEST || (value < LOWEST && value > -Infinity)) {',
    ECHO,
    'rows: infinite',
  ),
  scores('a positive log-prob', 'value > HIGHEST ||', '', ECHO, 'rows: positive'),
  scores('-9999', '|| value < LOWEST) {', '|| value < -1e30) {', ECHO, 'rows: minus_9999'),
  scores('the lowest float', '|| value < LOWEST) {', '|| value === -9999) {', ECHO, 'rows: lowest_float'),
  scores('lists of rows', 'if (rows.length !== sequences.length) {', 'if (false) {', ENGINE, 'a row too many'),
  scores('short rows of the engine', 'if (row.length < to - from) {', 'if (false) {', ENGINE, 'a short row'),

  json(
    'an answer that is cut',
    "if (isCutOff(text)) throw protocolError('cut_off', 'half an answer');",
    'if (isCutOff(text)) return { choices: [{ logprobs: null }] };',
    ECHO,
    'cut at any byte',
  ),
  json(
    'a connection that breaks',
    'if (begun || MIDWAY.has(causeCode(thrown))) {',
    'if (false) {',
    ECHO,
    'a connection that is dropped',
  ),
  json(
    'what is not JSON',
    "throw protocolError('malformed_answer', 'something that is not JSON');",
    "throw new Error('no JSON');",
    SGLANG,
    'a web page',
  ),
  json(
    'JSON of another kind',
    'if (parsed.success) return parsed.data;',
    'if (true) return parsed.data as T;',
    SGLANG,
    'a web page',
  ),
  json('silence', 'if (watch.expired() ||', 'if (false ||', ECHO, 'is given up'),
  body(
    'a timer for silence',
    'let timer = setTimeout(expire, silenceMs);',
    'let timer = setTimeout(() => undefined, 0);',
    ECHO,
    'is given up',
  ),
  body('leaving', 'AbortSignal.any([signal, own.signal])', 'own.signal', ECHO, 'leaving a server that hangs'),
  body(
    'the timer of whoever left',
    'clearTimeout(timer);\n      // A body',
    '// A body',
    ECHO,
    'nothing left to wait for',
  ),
  json('a status that is no success', 'if (response.ok) {', 'if (true) {', ECHO, 'HTTP 500'),

  refusal('a refused key', 'if (status === 401 || status === 403) {', 'if (false) {', ECHO, 'HTTP 401'),
  refusal(
    'a route that is missing',
    'if (status === 404 || status === 405)',
    'if (false)',
    SGLANG,
    'without the routes',
  ),
  refusal('too many requests', 'if (status === 429) return', 'if (false) return', ECHO, 'HTTP 429'),
  refusal('NaN in words', "[/not JSON compliant/i, 'protocol', 'nan_row'],", '', VLLM, 'vLLM \\(.* rows: nan'),

  text(
    'the tokenizer',
    'if (sameIds(ours, theirs) && (await text.detokenize(theirs, signal)) === PROBE_TEXT) return;',
    'return;',
    VLLM,
    'vLLM \\(.* another tokenizer',
  ),
  text(
    'the template',
    'if (sameIds(ours, await tokenizeMessages(messages, { addGenerationPrompt, signal }))) continue;',
    'continue;',
    VLLM,
    'vLLM \\(.* another template',
  ),
  llamaConnect(
    'the template of llama-server',
    'if (ours.length === theirs.length && ours.every((id, at) => id === theirs[at])) return;',
    'return;',
    LLAMA,
    'another template',
  ),
  model('the model’s name', 'if (found) return found;', 'if (listed[0]) return listed[0];', SGLANG, 'another model'),
  model('a prompt that is too long', 'if (ids.length > contextSize) {', 'if (false) {', SGLANG, 'too long'),
  self(
    'two scores of one text',
    'if (worst < TOLERANCE && once.length === again.length) return;',
    'return;',
    SGLANG,
    'two scores',
  ),
  once(
    'others that wait for the same connection',
    'if (isAborted(thrown) && signal?.aborted !== true) return get(signal);',
    '',
    VLLM,
    'vLLM \\(.* takes nobody along',
  ),

  vllm(
    'the same sequence twice under one salt',
    "if (route === 'completions' || shared >= from) return",
    "if (route === 'completions') return",
    VLLM,
    'over and over in one session',
  ),
  vllm('what was sent, noted', 'salt.sent.push(ids);', '', VLLM, 'older runner \\(.* keep to the limit'),
  vllm(
    'a full pass after garbage',
    'if (!mayBeOfTheCache(thrown)) throw thrown;',
    'throw thrown;',
    VLLM,
    'often with a NaN',
  ),
  vllm(
    'a fresh salt for the full pass',
    'const scores = pieces ?? (await ask(crypto.randomUUID(), false));',
    'const scores = pieces ?? (await ask(salt.id, true));',
    VLLM,
    'counting nothing',
  ),
  vllm(
    'what a refused answer cost',
    'return { ...scores, evaluated: null };',
    'return scores;',
    VLLM,
    'costs what nobody knows',
  ),
  vllm('advice on what it refused', 'if (spoilt === 0) return facts;', 'return facts;', VLLM, 'first to be advised on'),
  remote(
    'a sum over what is not known',
    'sum === null || value === null ? null : sum + value',
    '(sum ?? 0) + (value ?? 0)',
    VLLM,
    'without its token-in routes \\(.* keep to the limit',
  ),
  sessions(
    'a salt of its own for every session',
    'if (session === undefined) return begin();',
    "session = '';",
    VLLM,
    'older runner \\(.* (keep to the limit|worth nothing|live)',
  ),
  vllmRequest(
    'rows aligned from the end',
    'const first = ids.length - rows.length;',
    'const first = 0;',
    VLLM,
    'newer runner',
  ),
  vllmRequest(
    'an answer without rows',
    "if (!rows) throw client.protocolError('short_rows', 'no log-probs of the prompt');",
    'if (!rows) return { first: 0, rows: ids.map((id) => ({ id, logprob: -1 })), cached: null };',
    VLLM,
    'an ignored echo',
  ),
  vllmRequest(
    'the row of the own token',
    'return other ? { id: Number(other[0]),',
    'return other ? { id: id ?? 0,',
    VLLM,
    'vLLM \\(.* rows: wrong_token',
  ),
  vllmConnect(
    'the other route',
    'if (!isAbsent(thrown)) throw thrown;',
    'throw thrown;',
    VLLM,
    'contract: vLLM without its token-in routes',
  ),

  vllmPieces(
    'the token that was made to come next',
    'if (row.id !== id)',
    'if (false)',
    VLLM,
    'a token that did not come next',
  ),
  vllmConnect(
    'the log-prob of a token that was made to come next',
    'return next?.id === ids[at] &&',
    'return true ||',
    VLLM,
    'the certainty of a token',
  ),

  sglang(
    'an id outside the vocabulary',
    'await vocabulary.check(new Set(carriers.flatMap(({ ids }) => ids)), signal);',
    '',
    SGLANG,
    'outside the vocabulary',
  ),
  sglangRequest(
    'answers for sequences',
    'if (answers.length !== spans.length) {',
    'if (false) {',
    SGLANG,
    'rows: two_answers',
  ),
  sglangRequest(
    'the length of the prompt',
    'if (told.prompt_tokens !== ids.length) {',
    'if (false) {',
    SGLANG,
    'rows: other_prompt',
  ),
  sglangRequest(
    'a list that begins one early',
    'Math.max(0, from - 1)',
    'Math.max(0, from)',
    SGLANG,
    'parallel to the tokens',
  ),
  sglangRequest(
    'a cache of its own for every session',
    'extra_key: spans.map(() => key),',
    '',
    SGLANG,
    'keep to the limit',
  ),
  sglangRequest(
    'the last id of the vocabulary',
    'return (await vocabulary.isLast(sent, signal)) ? sent : told;',
    'return told;',
    SGLANG,
    'the last id',
  ),
  sglangConnect('its longest prompt', 'info.max_req_input_len - 1', 'info.max_req_input_len', SGLANG, 'too long'),

  llamaRequest(
    'short rows of llama-server',
    'if (rows == null || rows.length < to - from || tokens.length < to - from) {',
    'if (rows == null) {',
    LLAMA,
    'rows: (short|no_row)',
  ),
  llamaRequest(
    'more rows of llama-server',
    'if (rows.length > to - from) {',
    'if (false) {',
    LLAMA,
    'rows: wrong_count',
  ),
  llamaRequest(
    'the generated token',
    'if (row?.id !== id || tokens[k] !== id) {',
    'if (row === undefined) {',
    LLAMA,
    'rows: wrong_token',
  ),
  llamaRequest('log-probs that are all 0', 'if (logprobs.length >= CERTAIN &&', 'if (false &&', LLAMA, 'a draft model'),
  llamaRequest(
    'processed log-probs',
    'post_sampling_probs: false,',
    'post_sampling_probs: true,',
    LLAMA,
    'parallel to the tokens',
  ),
  llama(
    'an id outside the vocabulary of llama-server',
    'vocabularyOf: ({ forced }) => forced.vocabulary,',
    '',
    LLAMA,
    'outside the vocabulary',
  ),

  echoRequest(
    'an echo that is ignored',
    "throw new TurnwiseError(\n      'unsupported',\n      'echo_ignored',",
    "throw new TurnwiseError(\n      'unsupported',\n      'short_rows',",
    ECHO,
    'an ignored echo',
  ),
  echoRequest(
    'answers for one prompt',
    'if (!choice || choices.length > 1) {',
    'if (!choice) {',
    ECHO,
    'rows: two_answers',
  ),
  echoRequest(
    'log-probs for tokens',
    'if (logprobs.tokens.length !== logprobs.token_logprobs.length) {',
    'if (false) {',
    ECHO,
    'rows: uneven',
  ),
  echoRequest(
    'more tokens than were sent',
    'if (echo.tokens.length > most) {',
    'if (false) {',
    ECHO,
    'rows: wrong_count',
  ),
  echoRequest(
    'the text of a token',
    "(sameText(echo.tokens[at] ?? '', texts[at] ?? '') ? (ids[at] ?? -1) : -1)",
    '(ids[at] ?? -1)',
    ECHO,
    'rows: wrong_token',
  ),
  echo(
    'a text that is read as other tokens',
    'if (again.length === ids.length && again.every((id, at) => id === ids[at])) return prompt;',
    'return prompt;',
    ECHO,
    'do not come back',
  ),
];
