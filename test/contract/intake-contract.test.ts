import { describe } from 'vitest';
import { intakeContract } from './intake-contract.ts';
import { intakeFixtures } from './intake-fixtures.ts';

for (const fixture of intakeFixtures) describe(`intake: ${fixture.name}`, () => intakeContract(fixture));
