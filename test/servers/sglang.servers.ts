import { openSglang } from '../../src/backends/sglang.ts';
import { chatSuite } from './chat.ts';
import { doctorSuite } from './doctor.ts';
import { serverSuite } from './suite.ts';

serverSuite({ name: 'sglang', open: openSglang, tolerance: 2e-3, limit: 1.01 }, (subject) => {
  chatSuite(subject);
  const known = { kind: 'sglang', mode: 'processed', tolerance: 5e-3, reusesPrefix: true, toy: true } as const;
  doctorSuite(subject.remote, subject.figures, known);
});
