import { openLlamaServer } from '../../src/backends/llama-server.ts';
import { chatSuite } from './chat.ts';
import { doctorSuite } from './doctor.ts';
import { serverSuite } from './suite.ts';

serverSuite({ name: 'llama-server', open: openLlamaServer, tolerance: 5e-3, limit: null }, (subject) => {
  chatSuite(subject);
  const known = { kind: 'llama-server', mode: 'raw', tolerance: 5e-3, reusesPrefix: true, toy: true } as const;
  doctorSuite(subject.remote, subject.figures, known);
});
