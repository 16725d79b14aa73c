/**
 * Who a caller is, and what its role may do: keys, roles, permissions. It decides nothing about a
 * single request; that does the gate of the API.
 */
@NullMarked
package io.errand.auth;

import org.jspecify.annotations.NullMarked;
