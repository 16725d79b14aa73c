/** The first page: what needs a person, then how things are. */
package io.errand.console.overview;
