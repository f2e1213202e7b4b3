import { nearestName } from '../runtime/configuration/unknown-variables.ts';
import { type CompiledPattern, compileParsed, compileTree } from './compile-pattern.ts';
import { parsePattern } from './parse-pattern.ts';
import { PatternError } from './pattern-error.ts';
import type { PatternNode } from './pattern-node.ts';

/** Patterns by name, in the syntax of grok: `%{NAME}`, `%{NAME:field}`, `%{NAME:field:int}`. */
export type PatternDefinitions = Readonly<Record<string, string>>;

/**
 * Named patterns that refer to each other. A definition that cannot be used (look-around, an unknown or
 * cyclic reference) is replaced by an earlier one of the same name, if there is one.
 *
 *     new PatternSet([PATTERN_LIBRARY, ownPatterns]).compile('%{IP:client.address} %{WORD:action}')
 */
export class PatternSet {
  /** The definitions of each name, the last first. */
  readonly #definitions = new Map<string, readonly Definition[]>();
  readonly #parsed = new Map<Definition, PatternNode | PatternError>();
  readonly #open = new Set<Definition>();

  /** Later definitions override earlier ones. */
  constructor(layers: readonly PatternDefinitions[]) {
    for (const layer of layers) {
      for (const [name, source] of Object.entries(layer)) {
        this.#definitions.set(name, [{ name, source }, ...(this.#definitions.get(name) ?? [])]);
      }
    }
  }

  get names(): readonly string[] {
    return [...this.#definitions.keys()];
  }

  /** Throws PatternError. */
  compile(text: string): CompiledPattern {
    return compileParsed(text, this.#options());
  }

  /** The pattern of this name. Throws PatternError. */
  compileNamed(name: string): CompiledPattern {
    return compileTree(`%{${name}}`, this.#treeNamed(name, 0));
  }

  /** The newest definition of this name, whether it can be used or not. Throws PatternError. */
  compileNewest(name: string): CompiledPattern {
    const newest = this.#definitions.get(name)?.[0];
    if (newest === undefined) throw this.#unknown(name, 0);
    const parsed = this.#parse(newest);
    if (parsed instanceof PatternError) throw parsed;
    return compileTree(newest.source, parsed);
  }

  #options() {
    return {
      patternNamed: (name: string, offset: number) => this.#treeNamed(name, offset),
      relaxesAtomic: true,
    };
  }

  #treeNamed(name: string, offset: number): PatternNode {
    const definitions = this.#definitions.get(name) ?? [];
    const tries = definitions.filter((each) => !this.#open.has(each)).map((each) => this.#parse(each));
    const usable = tries.find((each) => !(each instanceof PatternError));
    if (usable !== undefined && !(usable instanceof PatternError)) return usable;
    const [first] = tries;
    if (first instanceof PatternError) throw new PatternError(`in %{${name}}: ${first.message}`, offset);
    if (definitions.length > 0) throw new PatternError(`the pattern ${name} refers to itself`, offset);
    throw this.#unknown(name, offset);
  }

  #parse(definition: Definition): PatternNode | PatternError {
    const known = this.#parsed.get(definition);
    if (known !== undefined) return known;
    const parsed = this.#tryParsing(definition);
    // While another definition is open, a failure may be due to the cycle.
    if (this.#open.size === 0 || !(parsed instanceof PatternError)) this.#parsed.set(definition, parsed);
    return parsed;
  }

  #tryParsing(definition: Definition): PatternNode | PatternError {
    this.#open.add(definition);
    try {
      return parsePattern(definition.source, this.#options());
    } catch (error) {
      if (error instanceof PatternError) return error;
      throw error;
    } finally {
      this.#open.delete(definition);
    }
  }

  #unknown(name: string, offset: number): PatternError {
    const nearest = nearestName(name, this.names);
    const hint = nearest === undefined ? '' : `; did you mean ${nearest}?`;
    return new PatternError(`the pattern ${name} is not known${hint}`, offset);
  }
}

interface Definition {
  readonly name: string;
  readonly source: string;
}
