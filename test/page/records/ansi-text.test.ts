import { expect, it } from 'vitest';
import { styledText } from '../../../src/page/records/ansi-text.ts';

const ESC = '\u001B';

it('turns colours and weights into classes', () => {
  expect(styledText(`${ESC}[31mred${ESC}[0m plain ${ESC}[1;92mbold green${ESC}[m.`)).toEqual([
    { text: 'red', classes: 'ansi-31' },
    { text: ' plain ', classes: '' },
    { text: 'bold green', classes: 'ansi-32 ansi-bold' },
    { text: '.', classes: '' },
  ]);
});

it('hides nothing: backgrounds and concealed text have no style', () => {
  expect(styledText(`${ESC}[8mconcealed`)).toEqual([{ text: 'concealed', classes: '' }]);
  expect(styledText(`${ESC}[30;40mdark`)).toEqual([{ text: 'dark', classes: 'ansi-30' }]);
});

it('leaves out colours of 256 and more, and not the codes after them', () => {
  expect(styledText(`${ESC}[38;5;31;4mx${ESC}[48;2;1;31;3;1my`)).toEqual([
    { text: 'x', classes: 'ansi-underline' },
    { text: 'y', classes: 'ansi-bold ansi-underline' },
  ]);
});

it('keeps every other control sequence in the text', () => {
  const text = `${ESC}[2J${ESC}]0;title\u0007 and ${ESC}[31`;
  expect(styledText(text)).toEqual([{ text, classes: '' }]);
});
