/** What follows a fence, as the editor's languages are called. */
const LANGUAGES: Readonly<Record<string, string>> = {
  py: 'python',
  python3: 'python',
  js: 'javascript',
  mjs: 'javascript',
  node: 'javascript',
  jsx: 'javascriptreact',
  ts: 'typescript',
  tsx: 'typescriptreact',
  sh: 'shellscript',
  bash: 'shellscript',
  zsh: 'shellscript',
  shell: 'shellscript',
  yml: 'yaml',
  md: 'markdown',
  rs: 'rust',
  rb: 'ruby',
  'c++': 'cpp',
  cc: 'cpp',
  'c#': 'csharp',
  cs: 'csharp',
  golang: 'go',
  kt: 'kotlin',
  ps1: 'powershell',
};

/** The language of the code in an answer, from the fence that it opens with; what says none is Python, as the bundled model speaks it. */
export function codeLanguage(text: string, marker: string): string {
  const at = text.indexOf(marker);
  const answer = at < 0 ? text : text.slice(at + marker.length);
  const named = /^\s*`{3,}[ \t]*([\w+#.-]+)/.exec(answer)?.[1]?.toLowerCase();
  return named === undefined ? 'python' : (LANGUAGES[named] ?? named);
}
