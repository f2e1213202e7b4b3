import type { FilterProgram } from '../../filters/filter-program.ts';
import type { FilterSource } from './filter-source.ts';

