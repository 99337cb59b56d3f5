/* claim.c - see claim.h. */
#include "appliance/claim.h"

#include "appliance/rows.h"
#include "base/hash.h"
#include "base/seal.h"

#define CLAIM_LETTERS 25
#define CLAIM_GROUP   5

/* Crockford's base 32: 5 bits a letter. */
static const char alphabet[32] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

static void random_letters(char ret_letters[CLAIM_LETTERS])
{
    uint8_t random[CLAIM_LETTERS];
    seal_random(random, sizeof(random));
    for (size_t i = 0; i < CLAIM_LETTERS; i++)
        ret_letters[i] = alphabet[random[i] % sizeof(alphabet)];
    seal_wipe(random, sizeof(random));
}

static void group(const char letters[CLAIM_LETTERS], char ret_code[CLAIM_TEXT_LEN + 1])
{
    char *to = ret_code;
    for (size_t i = 0; i < CLAIM_LETTERS; i++) {
        if (i && i % CLAIM_GROUP == 0)
            *to++ = '-';
        *to++ = letters[i];
    }
    *to = '\0';
}

enum err_code claim_make(struct committer *committer, uint64_t now_unix_ms,
                         char ret_code[CLAIM_TEXT_LEN + 1], struct err *err)
{
    char letters[CLAIM_LETTERS];
    random_letters(letters);
    struct hash_value digest = hash_once(HASH_SHA256, bytes_of(letters, sizeof(letters)));
    enum err_code code = rows_put_claim(committer, digest.data, now_unix_ms, err);
    if (code == ERR_OK)
        group(letters, ret_code);
    seal_wipe(letters, sizeof(letters));
    return code;
}
