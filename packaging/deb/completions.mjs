import { flattened } from './command-tree.mjs';

/** The completion of bash, for /usr/share/bash-completion/completions/mega-collector. */
export function bashCompletion(tree) {
  const cases = allCommands(tree).map(
    ({ path, words }) => `    ${quoted(path.join(' '))}) words=${quoted(words.join(' '))} ;;`,
  );
  const choices = valueCases(
    tree,
    (values) => `COMPREPLY=($(compgen -W ${quoted(values.join(' '))} -- "$current")); return`,
  );
  return `# Generated from the commands of mega-collector.
_mega_collector() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" path='' words='' each
  for each in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "\${path:+$path }$each" in
      ${pathPattern(tree)}) path="\${path:+$path }$each" ;;
    esac
  done
  COMPREPLY=()
  case "$path $previous" in
${choices}
  esac
  case "$path" in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _mega_collector mega-collector
`;
}

/** The completion of zsh, for /usr/share/zsh/vendor-completions/_mega-collector. */
export function zshCompletion(tree) {
  const cases = allCommands(tree).map(
    ({ path, described }) => `    ${quoted(path.join(' '))}) words=(${described.map(quoted).join(' ')}) ;;`,
  );
  const choices = valueCases(tree, (values) => `compadd -- ${values.map(quoted).join(' ')}; return`);
  return `#compdef mega-collector
# Generated from the commands of mega-collector.
_mega_collector() {
  local each command_path=''
  local -a words_before=("\${(@)words[2,CURRENT-1]}") words_shown
  local previous="\${words[CURRENT-1]}"
  for each in $words_before; do
    case "\${command_path:+$command_path }$each" in
      ${pathPattern(tree)}) command_path="\${command_path:+$command_path }$each" ;;
    esac
  done
  case "$command_path $previous" in
${choices}
  esac
  case "$command_path" in
${cases.join('\n').replaceAll(') words=(', ') words_shown=(')}
  esac
  _describe -o 'command or option' words_shown || _files
}
_mega_collector "$@"
`;
}

function allCommands(tree) {
  return [{ path: [], options: HELP, commands: tree }, ...flattened(tree)].map(
    ({ path, options, commands }) => ({
      path,
      words: [...commands.map(({ name }) => name), ...options.flatMap(({ names }) => names)],
      described: [
        ...commands.map(({ name, description }) => `${name}:${description}`),
        ...options.flatMap(({ names, description }) => names.map((name) => `${name}:${description}`)),
      ].map((text) => text.replaceAll('\n', ' ')),
    }),
  );
}

const HELP = [
  { names: ['-h', '--help'], description: 'Show this help.' },
  { names: ['-V', '--version'], description: 'Print the version.' },
];

function pathPattern(tree) {
  return flattened(tree)
    .map(({ path }) => quoted(path.join(' ')))
    .join('|');
}

/** Options with a fixed set of values. */
function valueCases(tree, action) {
  return flattened(tree)
    .flatMap(({ path, options }) =>
      options
        .filter(({ choices }) => choices.length > 0)
        .map(({ names, choices }) => {
          const patterns = names.map((name) => quoted(`${path.join(' ')} ${name}`)).join('|');
          return `    ${patterns}) ${action(choices)} ;;`;
        }),
    )
    .join('\n');
}

function quoted(text) {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
