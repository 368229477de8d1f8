/** Languages that code can be coloured in; more names lead to them in `languageNamed`. */
export const LANGUAGES = [
  'bash',
  'c',
  'cpp',
  'csharp',
  'css',
  'diff',
  'dockerfile',
  'go',
  'html',
  'java',
  'javascript',
  'json',
  'kotlin',
  'lua',
  'markdown',
  'php',
  'powershell',
  'python',
  'ruby',
  'rust',
  'sql',
  'swift',
  'toml',
  'tsx',
  'typescript',
  'xml',
  'yaml',
] as const;
export type Language = (typeof LANGUAGES)[number];

const OTHER_NAMES: Readonly<Record<string, Language>> = {
  'c#': 'csharp',
  'c++': 'cpp',
  cjs: 'javascript',
  console: 'bash',
  cs: 'csharp',
  docker: 'dockerfile',
  golang: 'go',
  h: 'c',
  hpp: 'cpp',
  htm: 'html',
  javascriptreact: 'tsx',
  js: 'javascript',
  jsonc: 'json',
  jsx: 'tsx',
  kt: 'kotlin',
  md: 'markdown',
  mjs: 'javascript',
  mts: 'typescript',
  patch: 'diff',
  ps1: 'powershell',
  pwsh: 'powershell',
  py: 'python',
  python3: 'python',
  rb: 'ruby',
  rs: 'rust',
  sh: 'bash',
  shell: 'bash',
  shellscript: 'bash',
  svg: 'xml',
  ts: 'typescript',
  typescriptreact: 'tsx',
  yml: 'yaml',
  zsh: 'bash',
};

/** The language behind the word on a fence (`py`, `TypeScript title="a.ts"`), or null for one that is not known. */
export function languageNamed(word: string): Language | null {
  const name = /^[^\s{,]+/.exec(word.trim().toLowerCase())?.[0] ?? '';
  return (
    LANGUAGES.find((language) => language === name) ??
    (Object.hasOwn(OTHER_NAMES, name) ? (OTHER_NAMES[name] ?? null) : null)
  );
}

/** What a line must look like, most telling first; one match is enough, because a wrong guess only costs colours. */
const SIGNS: readonly (readonly [Language, RegExp])[] = [
  ['bash', /^#!.*\b(?:ba|z|da)?sh\b/],
  ['python', /^#!.*\bpython/],
  ['php', /^<\?php/],
  ['html', /^\s*<(?:!doctype html|html|head|body|div|section|button)\b/i],
  ['xml', /^\s*<\?xml/],
  [
    'python',
    /^\s*(?:async )?def \w+\(.*\)?.*:?\s*$|^\s*(?:from [\w.]+ import |import \w+(?:\.\w+)*(?: as \w+)?$)|^\s*class \w+(?:\(.*\))?:\s*$/m,
  ],
  ['rust', /^\s*(?:pub )?fn \w+.*[{>]\s*$|^\s*(?:use \w+(?:::\w+)+|impl\b|let mut )/m],
  ['go', /^package \w+$|^func (?:\(\w+ \*?\w+\) )?\w+\(/m],
  ['cpp', /^\s*#include <(?:iostream|vector|string|map|memory|algorithm)>|\bstd::\w/m],
  ['c', /^\s*#include\s*[<"]/m],
  ['csharp', /^\s*(?:using System|namespace [\w.]+\s*[{;])/m],
  ['java', /^\s*(?:import java\.|public (?:static |final |abstract )*(?:class|interface|enum|void|int|String)\b)/m],
  ['kotlin', /^\s*fun \w+\(.*\)/m],
  [
    'typescript',
    /^\s*(?:export )?(?:interface|type) \w+|\b(?:const|let|function) .*: (?:string|number|boolean|readonly|void)\b/m,
  ],
  ['javascript', /^\s*(?:export |async )*(?:const|let|var|function\*?) [\w{[]|=>\s*[{(]?|\brequire\(['"]/m],
  ['sql', /^\s*(?:select\b[\s\S]*\bfrom|insert into|update \w+ set|create (?:table|index|view))\b/i],
  ['ruby', /^\s*def \w+[^:]*$[\s\S]*^\s*end\s*$/m],
  ['bash', /^\s*(?:\$ )?(?:sudo|cd|npm|git|pip|curl|echo|export) /m],
  ['css', /^\s*[.#@\w][^{};]*\{\s*$[\s\S]*^\s*[\w-]+:\s*[^;]+;\s*$/m],
];

/** The language that code without a name most looks like; null where nothing tells. */
export function guessLanguage(code: string): Language | null {
  const head = code.slice(0, 4000);
  if (/^\s*[[{]/.test(head) && isJson(code)) return 'json';
  return SIGNS.find(([, sign]) => sign.test(head))?.[0] ?? null;
}

function isJson(code: string): boolean {
  if (code.length > 100_000) return false;
  try {
    JSON.parse(code);
    return true;
  } catch {
    return false;
  }
}
