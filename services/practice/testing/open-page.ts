import type { Page } from 'playwright-core';

/** Opens the page. Where Chromium gives up because a container's network interface came or went, opens it again. */
export const openPage = async (page: Page, url: string): Promise<void> => {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await page.goto(url);
      return;
    } catch (error) {
      if (attempt === 5 || !String(error).includes('ERR_NETWORK_CHANGED')) throw error;
    }
  }
};
