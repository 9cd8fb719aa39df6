/* Counts what an emulated program executes: a plug-in for qemu's user emulation.
 *
 * Whenever the program calls getppid, which it has no other use for, the counts so far are printed as one line:
 * all instructions, float multiply-adds, whole-number dot products, other whole-number vector multiplies, loads.
 * A block counts whole when it is entered. One thread is counted right, more would lose some.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <qemu-plugin.h>

QEMU_PLUGIN_EXPORT int qemu_plugin_version = QEMU_PLUGIN_VERSION;

enum { ALL, FLOAT, DOT, WHOLE, LOAD, KINDS };
enum { GETPPID = 173 };

static uint64_t counts[KINDS];

static bool is(uint32_t code, uint32_t mask, uint32_t value) { return (code & mask) == value; }

static bool is_float(uint32_t code) {
    return is(code, 0xBFA0FC00, 0x0E20CC00)     /* FMLA, vectors of float32 and 64 */
        || is(code, 0xBFE0FC00, 0x0E400C00)     /* of float16 */
        || is(code, 0xBF80F400, 0x0F801000)     /* by an element, float32 and 64 */
        || is(code, 0xBFC0F400, 0x0F001000);    /* float16 */
}

static bool is_dot(uint32_t code) {
    return is(code, 0x9FE0FC00, 0x0E809400)     /* SDOT, UDOT */
        || is(code, 0x9FC0F400, 0x0F80E000);    /* by an element */
}

static bool is_whole(uint32_t code) {
    return is(code, 0x9F20FC00, 0x0E208000)     /* SMLAL, UMLAL */
        || is(code, 0x9F20FC00, 0x0E20C000)     /* SMULL, UMULL */
        || is(code, 0xBF20FC00, 0x0E209400)     /* MLA */
        || is(code, 0xBF20FC00, 0x0E209C00)     /* MUL */
        || is(code, 0x9F00F400, 0x0F002000)     /* SMLAL, UMLAL by an element */
        || is(code, 0x9F00F400, 0x0F00A000)     /* SMULL, UMULL by an element */
        || is(code, 0xBF00F400, 0x2F000000)     /* MLA by an element */
        || is(code, 0x9F3FFC00, 0x0E206800);    /* SADALP, UADALP: the sum that follows a widening multiply */
}

static bool is_load(uint32_t code) {
    if (!is(code, 0x0A000000, 0x08000000)) {
        return false;
    }
    if (is(code, 0x3B000000, 0x18000000)) {     /* from beside the code */
        return true;
    }
    bool single = is(code, 0x38000000, 0x38000000), vector = code >> 26 & 1;
    return single && !vector ? (code >> 22 & 3) != 0 : (code >> 22 & 1) != 0;
}

static void entered(unsigned int cpu, void *block) {
    const uint64_t *more = block;
    for (int kind = 0; kind < KINDS; kind++) {
        counts[kind] += more[kind];
    }
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *block) {
    uint64_t *more = calloc(KINDS, sizeof *more);
    size_t length = qemu_plugin_tb_n_insns(block);
    for (size_t i = 0; i < length; i++) {
        struct qemu_plugin_insn *instruction = qemu_plugin_tb_get_insn(block, i);
        uint32_t code = 0;
#if QEMU_PLUGIN_VERSION >= 3
        qemu_plugin_insn_data(instruction, &code, sizeof code);
#else
        memcpy(&code, qemu_plugin_insn_data(instruction), sizeof code);
#endif
        more[is_float(code) ? FLOAT : is_dot(code) ? DOT : is_whole(code) ? WHOLE : is_load(code) ? LOAD : ALL]++;
    }
    more[ALL] = length;
    qemu_plugin_register_vcpu_tb_exec_cb(block, entered, QEMU_PLUGIN_CB_NO_REGS, more);
}

static void called(qemu_plugin_id_t id, unsigned int cpu, int64_t number, uint64_t a, uint64_t b, uint64_t c,
                   uint64_t d, uint64_t e, uint64_t f, uint64_t g, uint64_t h) {
    if (number == GETPPID) {
        char line[160];
        snprintf(line, sizeof line, "counted %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", counts[ALL],
                 counts[FLOAT], counts[DOT], counts[WHOLE], counts[LOAD]);
        qemu_plugin_outs(line);
    }
}

QEMU_PLUGIN_EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc, char **argv) {
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    qemu_plugin_register_vcpu_syscall_cb(id, called);
    return 0;
}
