// Runs before the page is drawn, so that a chosen theme does not flash.
(() => {
  'use strict';
  try {
    const theme = localStorage.getItem('errand-theme');
    if (theme === 'dark' || theme === 'light') {
      document.documentElement.dataset.theme = theme;
    }
  } catch {
    // Without storage the theme of the system counts.
  }
})();
