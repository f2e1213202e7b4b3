import { formats } from '../../src/formats/registry.ts';
import { formatContract } from './format-contract.ts';

for (const format of formats) formatContract(format);
