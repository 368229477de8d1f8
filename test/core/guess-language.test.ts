import { expect, test } from 'vitest';
import { guessLanguage, languageNamed } from '../../src/core/guess-language.ts';

test.each([
  ['py', 'python'],
  ['TypeScript title="a.ts"', 'typescript'],
  ['js{1,3}', 'javascript'],
  ['C++', 'cpp'],
  ['sh', 'bash'],
  ['', null],
  ['constructor', null],
  ['klingon', null],
])('%j on a fence means %s', (word, language) => {
  expect(languageNamed(word)).toBe(language);
});

test.each([
  ['def mean(xs):\n    return sum(xs) / len(xs)\n', 'python'],
  ['import numpy as np\n\nx = np.ones(3)\n', 'python'],
  ['export interface A {\n  b: string;\n}\n', 'typescript'],
  ['const a = (b) => b + 1;\n', 'javascript'],
  ['package main\n\nfunc main() {\n}\n', 'go'],
  ['pub fn main() {\n    let mut a = 1;\n}\n', 'rust'],
  ['#include <vector>\nint main() { return 0; }\n', 'cpp'],
  ['#include "a.h"\nint main(void) { return 0; }\n', 'c'],
  ['public class A {\n}\n', 'java'],
  ['{"a": [1, 2]}\n', 'json'],
  ['SELECT a FROM b WHERE c = 1;\n', 'sql'],
  ['#!/bin/bash\nls\n', 'bash'],
  ['<div class="a">b</div>\n', 'html'],
  ['.a {\n  color: var(--b);\n}\n', 'css'],
  ['Only words, and no code at all.', null],
  ['', null],
])('%j looks like %s', (code, language) => {
  expect(guessLanguage(code)).toBe(language);
});
