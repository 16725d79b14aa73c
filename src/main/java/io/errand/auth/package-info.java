/**
 * Who may do what. Every {@code /v1} request needs a token, on loopback too; there is one so far,
 * the administrator's.
 */
@NullMarked
package io.errand.auth;

import org.jspecify.annotations.NullMarked;
