import { flattened } from './command-tree.mjs';

/** Man pages by file name: one of the program, and one of each command, with its subcommands. */
export function manPages(tree, { version, description }) {
  const pages = new Map();
  const rows = tree.map(
    ({ name, description: text }) => `.TP\n\\fBmega\\-collector\\-${roff(name)}\\fR(1)\n${roff(text)}\n`,
  );
  pages.set(
    'mega-collector.1',
    `${head('mega-collector', description, version)}.SH SYNOPSIS\n.B mega\\-collector\n.I command\n[options]\n.SH COMMANDS\n${rows.join('')}`,
  );
  for (const command of tree) {
    const name = `mega-collector-${command.name}`;
    const parts = flattened([command]).map(section);
    pages.set(`${name}.1`, head(name, command.description, version) + parts.join('') + SEE_ALSO);
  }
  return pages;
}

const SEE_ALSO = '.SH SEE ALSO\n.BR mega\\-collector (1)\n';

function head(name, description, version) {
  const title = `.TH ${roff(name.toUpperCase())} 1 "" "mega\\-collector ${version}" "User Commands"\n`;
  return `${title}.SH NAME\n${roff(name)} \\- ${roff(description.replace(/\.$/, ''))}\n`;
}

function section({ path, description, usage, options, after }) {
  const title = `.SH "${roff(`mega-collector ${path.join(' ')}`)}"\n${roff(description)}\n`;
  const synopsis = `.PP\n.B ${roff(`mega-collector ${path.join(' ')}`)}\n${roff(usage)}\n`;
  const listed = options.map(
    ({ flags, description: text }) => `.TP\n\\fB${roff(flags)}\\fR\n${roff(text)}\n`,
  );
  const examples = after === '' ? '' : `.PP\n.nf\n${roff(after)}\n.fi\n`;
  return title + synopsis + listed.join('') + examples;
}

/** Text in which nothing is a command of roff. */
function roff(text) {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll(/^(?=[.'])/gm, '\\&');
}
