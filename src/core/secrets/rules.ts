import { looksLabelled, looksRandom, looksWritten } from './randomness.ts';

/** A kind of secret, and how it is written. */
export interface Rule {
  readonly name: string;
  /** Global. The first group, where there is one, is the secret; else the whole match is. */
  readonly pattern: RegExp;
  /** Names a person or a place: kept out of exports and logs, but an error message without its path helps nobody. */
  readonly personal?: boolean;
  /** Whether what was captured is a secret and not an example or an expression. */
  readonly accept?: (value: string, before: string) => boolean;
}

// Every repetition has an upper bound or cannot overlap with what follows it: text of any size is read in linear time.
// Quotes may stand escaped, since written JSON is scanned as well.
const QUOTE = String.raw`\\?["'\x60]`;

/** Names that hold nothing but secrets, whatever the value looks like. */
const SURE_NAME = String.raw`(?:api|access|secret|private|signing|encryption|account|auth|master|service)[_-]?key|(?:client|app|api|shared|signing|jwt|webhook)[_-]?secret|(?:access|auth|refresh|bearer|api|session|deploy|bot)[_-]?token|passw(?:or)?d|passphrase|pwd|credentials?`;
/** Names that also hold other things: a value counts where it looks drawn. */
const MAYBE_NAME = String.raw`secret|token|pass|key|auth|cred|cookie|session|signature`;
/** What may follow in a longer name: API_KEY_PROD, tokens, key2, and the end of quotes or brackets. */
const TAIL = String.raw`(?:[_-][\w-]{1,24}|s|\d{1,3})?(?:${QUOTE})?\]?`;
const UNQUOTED = String.raw`[ \t]{0,8}[=:][ \t]{0,8}([^\s"'\x60\\,;(){}\[\]<>]{8,400})`;
const ASSIGN = String.raw`[ \t]{0,8}(?::=|=>|[:=])[ \t]{0,8}`;

/** The rule of last resort: what is drawn and not written. Any other find of the same text tells more. */
export const RANDOM_TEXT = 'random-text';

/** Secrets that carry their kind in front, or that a name in front gives away; the most telling rules come first. */
export const RULES: readonly Rule[] = [
  {
    name: 'private-key-block',
    pattern:
      /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----(?:[^-]{0,20000}(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----)?)?/g,
  },
  { name: 'age-key', pattern: /\bAGE-SECRET-KEY-1[02-9AC-HJ-NP-Z]{50,64}/g },
  { name: 'anthropic-key', pattern: /\bsk-ant-[A-Za-z0-9_-]{20,}/g },
  { name: 'openai-key', pattern: /\bsk-(?:proj-|svcacct-|admin-|or-v1-)?[A-Za-z0-9_-]{20,}/g, accept: hasDigit },
  { name: 'google-api-key', pattern: /\bAIza[0-9A-Za-z_-]{35}/g },
  { name: 'google-oauth', pattern: /\b(?:GOCSPX-[\w-]{20,}|ya29\.[\w-]{20,}|1\/\/0[\w-]{30,})/g },
  { name: 'github-token', pattern: /\b(?:gh[pousr]_[A-Za-z0-9]{30,}|github_pat_\w{22,})/g },
  { name: 'gitlab-token', pattern: /\bgl(?:pat|ptt|dt|rt|cbt|ft|soat|agent)-[\w-]{20,}/g },
  { name: 'slack-token', pattern: /\b(?:xox[abeoprs]-[A-Za-z0-9-]{10,}|xapp-\d-[A-Za-z0-9-]{10,})/g },
  {
    name: 'webhook-url',
    pattern:
      /\bhttps:\/\/(?:hooks\.slack\.com\/(?:services|workflows)|discord(?:app)?\.com\/api\/webhooks)\/([\w/-]{20,})/g,
  },
  {
    name: 'aws-access-key-id',
    pattern: /(?<![A-Za-z0-9])(?:AKIA|ASIA|AROA|AIDA|ABIA|ACCA)[A-Z2-7]{16}(?![A-Za-z0-9])/g,
  },
  { name: 'huggingface-token', pattern: /\bhf_[A-Za-z0-9]{30,}/g },
  { name: 'stripe-key', pattern: /\b(?:[srp]k_(?:live|test)_[A-Za-z0-9]{10,}|whsec_[A-Za-z0-9+/=]{20,})/g },
  { name: 'twilio-key', pattern: /\b(?:SK|AC)[0-9a-f]{32}\b/g },
  { name: 'sendgrid-key', pattern: /\bSG\.[\w-]{16,}\.[\w-]{16,}/g },
  { name: 'npm-token', pattern: /\bnpm_[A-Za-z0-9]{36}/g },
  { name: 'pypi-token', pattern: /\bpypi-[\w-]{50,}/g },
  { name: 'telegram-token', pattern: /\b\d{8,10}:AA[\w-]{32,34}/g },
  { name: 'digitalocean-token', pattern: /\bdo[opr]_v1_[0-9a-f]{64}/g },
  { name: 'shopify-token', pattern: /\bshp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}/g },
  { name: 'databricks-token', pattern: /\bdapi[0-9a-f]{32}/g },
  { name: 'mailgun-key', pattern: /\bkey-[0-9a-z]{32}\b/g },
  { name: 'vault-token', pattern: /\bhv[sbr]\.[\w-]{24,}/g },
  { name: 'docker-token', pattern: /\bdckr_[a-z]{2,4}_[\w-]{20,}/g },
  { name: 'azure-account-key', pattern: /\bAccountKey=([A-Za-z0-9+/]{80,90}={0,2})/g },
  {
    name: 'json-web-token',
    pattern: /\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]{8,})?/g,
  },
  { name: 'bearer-token', pattern: /\bbearer\s{1,4}([A-Za-z0-9._~+/-]{16,}=*)/gi, accept: looksDrawn },
  { name: 'basic-auth', pattern: /\bbasic\s{1,4}([A-Za-z0-9+/]{12,}={0,2})/gi, accept: isUserAndPassword },
  { name: 'url-password', pattern: /:\/\/[^\s:@/"'\\]{1,100}:([^\s:@/"'\\]{3,200})@/g, accept: isNoExample },
  {
    name: 'assigned-secret',
    pattern: new RegExp(String.raw`(?:${SURE_NAME})${TAIL}${ASSIGN}${QUOTE}([^"'\x60\s\\]{8,400})${QUOTE}`, 'gi'),
    accept: isNoExample,
  },
  {
    name: 'assigned-secret',
    pattern: new RegExp(
      String.raw`(?<![a-z])(?:${MAYBE_NAME})${TAIL}${ASSIGN}${QUOTE}([^"'\x60\s\\]{8,400})${QUOTE}`,
      'gi',
    ),
    accept: isDrawnValue,
  },
  {
    name: 'assigned-secret-unquoted',
    pattern: new RegExp(String.raw`(?:${SURE_NAME})${TAIL}${UNQUOTED}`, 'gi'),
    accept: (value) => isNoExample(value) && looksDrawn(value) && !isCode(value),
  },
  {
    name: 'assigned-secret-unquoted',
    pattern: new RegExp(String.raw`(?<![a-z])(?:${MAYBE_NAME})${TAIL}${UNQUOTED}`, 'gi'),
    accept: isDrawnValue,
  },
  {
    name: 'told-secret',
    pattern:
      /\b(?:password|passphrase|passcode|secret|token|(?:api|access|private|secret)[ -]?key|credentials?)\s{1,4}(?:is|was|are|to|will be)(?: now)?[:]?\s{1,4}["'`]?([^\s"'`,;]{6,400})/gi,
    accept: (value) => isNoExample(value) && looksDrawn(value) && !isCode(value),
  },
  {
    name: 'hex-secret',
    pattern: /(?<![A-Za-z0-9])([0-9a-f]{32,128}|[0-9A-F]{32,128})(?![A-Za-z0-9])/g,
    accept: (value, before) => /\d/.test(value) && /[a-f]/i.test(value) && !NEAR_DIGEST.test(before),
  },
  {
    name: 'email',
    personal: true,
    pattern: /(?<![\w.+-])[\w.+-]{1,64}@(?:[a-z0-9-]{1,63}\.){1,4}[a-z]{2,12}(?![\w-])/gi,
    accept: isPerson,
  },
  {
    name: 'home-path',
    personal: true,
    pattern: /(?:\/home\/|\/Users\/|[A-Za-z]:\\{1,2}Users\\{1,2})([\w.-]{2,64})/g,
    accept: isAccount,
  },
  {
    name: RANDOM_TEXT,
    pattern: /(?<![A-Za-z0-9+/_%-])[A-Za-z0-9_+/-]{20,4096}={0,2}(?![A-Za-z0-9+/_-])/g,
    accept: (value, before) =>
      !/sha(?:1|256|384|512)-$|base64,$/.test(before) && (looksRandom(value) || looksLabelled(value)),
  },
];

/** How much of the text in front of a find its rule is shown, in UTF-16 units. */
export const BEFORE = 60;

/** Hex digits this long are a key or a hash, and a hash is called one, as in our own columns. */
const NEAR_DIGEST =
  /(?:sha\d*|md5|hash|digest|checksum|commit|revision|integrity|etag|fingerprint|blob|chunk|asset|cache|batch_id)[^\n]{0,20}$/i;

function hasDigit(value: string): boolean {
  return /\d/.test(value);
}

/** Letters with digits or signs among them: a word or a name alone is not a secret. */
function looksDrawn(value: string): boolean {
  if (/[A-Za-z]/.test(value) && /[0-9]/.test(value)) return true;
  return /[a-z][A-Z].*[a-z][A-Z]/.test(value) && !looksWritten(value);
}

/** What a name that may also hold words has to hold to count. */
function isDrawnValue(value: string): boolean {
  return isNoExample(value) && looksDrawn(value) && !isCode(value) && !looksWritten(value);
}

/** A member, a call, a path or a version is how programs say where a value comes from. */
function isCode(value: string): boolean {
  if (/^[a-z_$][\w$]{0,60}(?:\??\.[a-z_$][\w$]{0,60}){1,8}[!?]?$/i.test(value)) {
    return looksWritten(value) && !/\d\d[!?]?$/.test(value);
  }
  return /^(?:\.{0,2}\/[\w.@/-]+|[\d.]+|v?\d+\.\d+\S*|0x[0-9a-f]+|https?:\/\/[^@]*|\d{4}-\d\d-\d\d.*|[$%&|].*)$/i.test(
    value,
  );
}

function isNoExample(value: string): boolean {
  return !/^(?:[<[].*[>\]]|\$\{?.*|%.*%|x{3,}.*|\*+|\.{3}.*|your.*|my[_-].*|example.*|sample.*|dummy.*|change.?me.*|placeholder.*|none|null|undefined|true|false|password|passw?d?|redacted.*|string|number|boolean|function|process\.env.*|os\.(?:environ|getenv).*|env\..*|import\.meta.*|.*(?:\(|\$\{|\{\{).*)$/i.test(
    value,
  );
}

/** Base64 of `user:password`. */
function isUserAndPassword(value: string): boolean {
  try {
    return /^[\x20-\x7e]*:[\x20-\x7e]+$/.test(atob(value));
  } catch {
    return false;
  }
}

function isPerson(address: string): boolean {
  return !/@(?:[\w.-]+\.)?(?:example\.(?:com|org|net)|test|invalid|localhost|local)$|^(?:git|noreply|no-reply)@|noreply\.github\.com$|@[\w.-]*\.(?:png|jpe?g|svg|gif|ts|js|css|json|md)$/i.test(
    address,
  );
}

function isAccount(name: string): boolean {
  return !/^(?:user(?:name)?|you|your.*|me|name|someone|shared|public|default|runner|vscode|node|ubuntu|\.+)$/i.test(
    name,
  );
}
