/**
 * The console: pages for people, under {@code /console}. What all pages share; each page is in the
 * package of its topic. Reads and changes go the same ways as those of the API.
 */
package io.errand.console;
