# Becomes another account for good, enters a directory, and executes a program: Linux on x86-64, without a C library.
#
#     change-account UID GID GROUPS DIRECTORY PATH ARGV0 [ARGV1 ...]
#
# UID and GID are decimal. GROUPS is a list of decimal numbers with commas between them, at most 1,024, or "-" for none.
# DIRECTORY is entered with the rights of the account; "-" is none. PATH is executed with the arguments from ARGV0 on and
# with this process's environment. Nothing of root is left: no capability in any set, no supplementary group, and
# no_new_privs is set.
#
# Exit status: 127 where PATH or DIRECTORY does not exist, else 126, with a line on stderr.
#
# The tools of the host do the same, but a dynamically linked program costs about twice as much processor time as a short
# command itself. The binary is checked in beside the classes, as users have no assembler:
#
#     as -o change-account.o change-account.S
#     ld -s -z noexecstack -z noseparate-code -o change-account-x86_64 change-account.o

.set SYS_write, 1
.set SYS_execve, 59
.set SYS_exit, 60
.set SYS_chdir, 80
.set SYS_setgroups, 116
.set SYS_setresuid, 117
.set SYS_setresgid, 119
.set SYS_capset, 126
.set SYS_prctl, 157
.set PR_CAPBSET_DROP, 24
.set PR_SET_NO_NEW_PRIVS, 38
.set PR_CAP_AMBIENT, 47
.set PR_CAP_AMBIENT_CLEAR_ALL, 4
.set CAPABILITY_VERSION_3, 0x20080522
.set ENOENT, 2
.set EINVAL, 22
.set MOST_GROUPS, 1024
.set CAPABILITIES, 64
.set LARGEST_ID, 0xfffffffe         # the next one means "as it is"

.globl _start
.text
_start:
    mov %rsp, %rbp                  # argc, and behind it argv
    cmpq $7, (%rbp)
    jb usage
    sub $(4 * MOST_GROUPS), %rsp
    mov $LARGEST_ID, %r14d
    mov 16(%rbp), %rsi
    call number
    cmpb $0, (%rsi)
    jne usage
    mov %rax, %r12                  # UID
    mov 24(%rbp), %rsi
    call number
    cmpb $0, (%rsi)
    jne usage
    mov %rax, %r13                  # GID

    xor %ebx, %ebx                  # how many groups
    mov 32(%rbp), %rsi
    cmpw $'-', (%rsi)               # and its null
    je set_groups
next_group:
    cmp $MOST_GROUPS, %ebx
    jae usage
    call number
    mov %eax, (%rsp, %rbx, 4)
    inc %ebx
    cmpb $0, (%rsi)
    je set_groups
    cmpb $',', (%rsi)
    jne usage
    inc %rsi
    jmp next_group
set_groups:
    mov $SYS_setgroups, %eax
    mov %ebx, %edi
    mov %rsp, %rsi
    syscall
    test %rax, %rax
    jnz failed

    xor %ebx, %ebx                  # a capability
next_capability:
    mov $SYS_prctl, %eax
    mov $PR_CAPBSET_DROP, %edi
    mov %ebx, %esi
    xor %edx, %edx
    xor %r10d, %r10d
    xor %r8d, %r8d
    syscall
    cmp $-EINVAL, %rax              # there are no more
    je clear_ambient
    test %rax, %rax
    jnz failed
    inc %ebx
    cmp $CAPABILITIES, %ebx
    jb next_capability
clear_ambient:
    mov $SYS_prctl, %eax
    mov $PR_CAP_AMBIENT, %edi
    mov $PR_CAP_AMBIENT_CLEAR_ALL, %esi
    xor %edx, %edx
    xor %r10d, %r10d
    xor %r8d, %r8d
    syscall
    test %rax, %rax
    jnz failed

    mov $SYS_setresgid, %eax
    mov %r13d, %edi
    mov %r13d, %esi
    mov %r13d, %edx
    syscall
    test %rax, %rax
    jnz failed
    mov $SYS_setresuid, %eax
    mov %r12d, %edi
    mov %r12d, %esi
    mov %r12d, %edx
    syscall
    test %rax, %rax
    jnz failed

    pushq $0                        # permitted and inheritable of the upper 32, and what follows
    pushq $0
    pushq $0
    mov %rsp, %rsi                  # no capability in any set
    pushq $CAPABILITY_VERSION_3     # of this process
    mov %rsp, %rdi
    mov $SYS_capset, %eax
    syscall
    test %rax, %rax
    jnz failed
    mov $SYS_prctl, %eax
    mov $PR_SET_NO_NEW_PRIVS, %edi
    mov $1, %esi
    xor %edx, %edx
    xor %r10d, %r10d
    xor %r8d, %r8d
    syscall
    test %rax, %rax
    jnz failed

    mov 40(%rbp), %rdi
    cmpw $'-', (%rdi)
    je execute
    mov $SYS_chdir, %eax
    syscall
    test %rax, %rax
    jnz not_entered
execute:
    mov $SYS_execve, %eax
    mov 48(%rbp), %rdi
    lea 56(%rbp), %rsi
    mov (%rbp), %rdx
    lea 16(%rbp, %rdx, 8), %rdx     # the environment stands behind the null after argv
    syscall

failed:
    lea cannot(%rip), %rsi
    mov $(cannot_end - cannot), %edx
    jmp say_why
not_entered:
    lea shut(%rip), %rsi
    mov $(shut_end - shut), %edx
say_why:
    mov %rax, %rbx
    cmp $-ENOENT, %rbx
    jne say
    mov $127, %ebx
    jmp write
usage:
    lea wrong(%rip), %rsi
    mov $(wrong_end - wrong), %edx
say:
    mov $126, %ebx
write:
    mov $SYS_write, %eax
    mov $2, %edi
    syscall
    mov $SYS_exit, %eax
    mov %ebx, %edi
    syscall

# The decimal number at rsi into rax; rsi is left at what follows it. No digit, or more than an id can be, is wrong.
number:
    movzbl (%rsi), %ecx
    sub $'0', %ecx
    cmp $9, %ecx
    ja usage
    xor %eax, %eax
digit:
    movzbl (%rsi), %ecx
    sub $'0', %ecx
    cmp $9, %ecx
    ja no_digit
    imul $10, %rax, %rax
    add %rcx, %rax
    cmp %r14, %rax
    ja usage
    inc %rsi
    jmp digit
no_digit:
    ret

cannot:
    .ascii "errand: the program cannot be executed as this account\n"
cannot_end:
shut:
    .ascii "errand: the working directory cannot be entered as this account\n"
shut_end:
wrong:
    .ascii "errand: change-account: wrong arguments\n"
wrong_end:
