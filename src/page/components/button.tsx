import type { ComponentChildren, Ref } from 'preact';
import { Icon, type IconName } from './icon.tsx';

export interface ButtonProps {
  readonly onClick?: (event: MouseEvent) => unknown;
  readonly children?: ComponentChildren;
  readonly icon?: IconName;
  /** The name for assistive technology and the tooltip; needed if there is only an icon. */
  readonly label?: string;
  readonly kind?: 'plain' | 'primary' | 'quiet' | 'danger';
  readonly type?: 'button' | 'submit';
  readonly isDisabled?: boolean;
  /** A switch: `aria-pressed`. */
  readonly isPressed?: boolean;
  readonly isExpanded?: boolean;
  /** The key that does the same, shown in the tooltip. */
  readonly shortcut?: string;
  readonly class?: string;
  readonly buttonRef?: Ref<HTMLButtonElement>;
}

export function Button(props: ButtonProps) {
  const { children, icon, label, kind = 'plain', type = 'button', shortcut } = props;
  const title = shortcut === undefined ? label : `${label ?? ''} (${shortcut})`.trim();
  return (
    <button
      type={type}
      class={`button ${kind} ${children === undefined ? 'icon-only' : ''} ${props.class ?? ''}`}
      title={title}
      aria-label={children === undefined ? label : undefined}
      aria-pressed={props.isPressed}
      aria-expanded={props.isExpanded}
      aria-keyshortcuts={shortcut}
      disabled={props.isDisabled}
      onClick={props.onClick}
      ref={props.buttonRef ?? null}
    >
      {icon !== undefined && <Icon name={icon} />}
      {children !== undefined && <span>{children}</span>}
    </button>
  );
}
