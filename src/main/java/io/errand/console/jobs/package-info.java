/** The pages about jobs. */
package io.errand.console.jobs;
