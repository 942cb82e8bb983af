// Records of keys: who may sign which sizes, and that a bundle lists nothing else.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { utf8 } from '../src/text.js';
import { judgeBundle } from '../src/verdict.js';
import { COURSES, tellKeys } from '../testing/keys.js';

describe('records of keys', () => {
  for (const [code, about, course, at = 'keys'] of COURSES) {
    test(`${code ?? 'holds'}: ${about}`, () => {
      const { bytes, trust, against } = tellKeys(course);
      const { verdict, detail } = judgeBundle(bytes, utf8(trust), against.map(utf8));
      assert.deepEqual([verdict.code, verdict.where], [code, code === null ? null : at], `${detail}`);
      assert.deepEqual(verdict.notices.filter((notice) => notice === 'former_key'), course.notices ?? []);
    });
  }
});
