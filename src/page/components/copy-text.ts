import { showToast } from './toast.tsx';

/** `what`: for the message, such as "Link". The clipboard exists only on https and loopback. */
export async function copyText(text: string, what: string): Promise<void> {
  try {
    if (navigator.clipboard === undefined) copyBySelection(text);
    else await navigator.clipboard.writeText(text);
    showToast(`${what} copied.`);
  } catch {
    showToast(`The browser does not permit copying. Select the text and copy it by hand.`, { isError: true });
  }
}

function copyBySelection(text: string): void {
  const area = document.createElement('textarea');
  area.value = text;
  area.className = 'visually-hidden';
  document.body.append(area);
  area.select();
  const isCopied = document.execCommand('copy');
  area.remove();
  if (!isCopied) throw new Error('not permitted');
}
