import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, chromium, type Page } from 'playwright-core';

const CHROMIUM = '/usr/bin/chromium';
export const hasChromium = existsSync(CHROMIUM);

/** The machine may be busy. */
const PATIENT_MS = 60_000;

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export interface BrowserOptions {
  readonly width?: number;
  readonly height?: number;
  readonly colorScheme?: 'light' | 'dark';
}

export interface TestBrowser {
  readonly page: Page;
  /** Messages of the console of the kinds error and warning, and exceptions. */
  readonly problems: string[];
  /** Requests to another origin. */
  readonly foreign: string[];
  readonly close: () => Promise<void>;
}

/** Debian's Chromium with a profile of its own, and one page of the address. */
export async function openBrowser(address: string, options: BrowserOptions = {}): Promise<TestBrowser> {
  const { width = 1280, height = 800, colorScheme = 'light' } = options;
  const profile = mkdtempSync(join(tmpdir(), 'mega-collector-browser-'));
  const context: BrowserContext = await chromium.launchPersistentContext(profile, {
    executablePath: CHROMIUM,
    args: FLAGS,
    viewport: { width, height },
    colorScheme,
    timezoneId: 'Europe/Berlin',
    permissions: ['clipboard-read', 'clipboard-write'],
  });
  const page = context.pages()[0] ?? (await context.newPage());
  page.setDefaultTimeout(PATIENT_MS);
  const problems: string[] = [];
  const foreign: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) problems.push(message.text());
  });
  page.on('pageerror', (error) => problems.push(String(error)));
  page.on('request', (request) => {
    const { origin, protocol } = new URL(request.url());
    if (origin !== new URL(address).origin && protocol !== 'data:' && protocol !== 'about:')
      foreign.push(request.url());
  });
  return {
    page,
    problems,
    foreign,
    close: async () => {
      await context.close();
      rmSync(profile, { recursive: true, force: true });
    },
  };
}
