// SPDX-License-Identifier: Apache-2.0

package cryptoki

// Flags of CK_C_INITIALIZE_ARGS, CK_SLOT_INFO and CK_TOKEN_INFO.
const (
	CKF_OS_LOCKING_OK = 0x2

	CKF_REMOVABLE_DEVICE = 0x2

	CKF_LOGIN_REQUIRED                = 0x4
	CKF_USER_PIN_INITIALIZED          = 0x8
	CKF_PROTECTED_AUTHENTICATION_PATH = 0x100
	CKF_TOKEN_INITIALIZED             = 0x400
	CKF_USER_PIN_COUNT_LOW            = 0x10000
	CKF_USER_PIN_FINAL_TRY            = 0x20000
	CKF_USER_PIN_LOCKED               = 0x40000
	CKF_SO_PIN_COUNT_LOW              = 0x100000
	CKF_SO_PIN_FINAL_TRY              = 0x200000
	CKF_SO_PIN_LOCKED                 = 0x400000
)

// States of a session, and users.
const (
	CKS_RO_USER_FUNCTIONS = 1
	CKS_RW_USER_FUNCTIONS = 3

	CKU_SO               = 0
	CKU_USER             = 1
	CKU_CONTEXT_SPECIFIC = 2
)

// Classes of objects, and attributes.
const (
	CKO_DATA        = 0
	CKO_CERTIFICATE = 1
	CKO_PUBLIC_KEY  = 2
	CKO_PRIVATE_KEY = 3

	CKA_LABEL               = 0x3
	CKA_APPLICATION         = 0x10
	CKA_VALUE               = 0x11
	CKA_OBJECT_ID           = 0x12
	CKA_CERTIFICATE_TYPE    = 0x80
	CKA_ID                  = 0x102
	CKA_MODULUS             = 0x120
	CKA_EC_POINT            = 0x181
	CKA_ALWAYS_AUTHENTICATE = 0x202

	CKC_X_509 = 0
)

// Mechanisms and their parameters.
const (
	CKM_RSA_PKCS            = 0x1
	CKM_RSA_X_509           = 0x3
	CKM_SHA1_RSA_PKCS       = 0x6
	CKM_RSA_PKCS_OAEP       = 0x9
	CKM_RSA_PKCS_PSS        = 0xd
	CKM_SHA1_RSA_PKCS_PSS   = 0xe
	CKM_SHA256_RSA_PKCS     = 0x40
	CKM_SHA384_RSA_PKCS     = 0x41
	CKM_SHA512_RSA_PKCS     = 0x42
	CKM_SHA256_RSA_PKCS_PSS = 0x43
	CKM_SHA384_RSA_PKCS_PSS = 0x44
	CKM_SHA512_RSA_PKCS_PSS = 0x45
	CKM_SHA224_RSA_PKCS     = 0x46
	CKM_SHA224_RSA_PKCS_PSS = 0x47
	CKM_SHA_1               = 0x220
	CKM_SHA256              = 0x250
	CKM_SHA224              = 0x255
	CKM_SHA384              = 0x260
	CKM_SHA512              = 0x270
	CKM_ECDSA               = 0x1041
	CKM_ECDSA_SHA1          = 0x1042
	CKM_ECDSA_SHA224        = 0x1043
	CKM_ECDSA_SHA256        = 0x1044
	CKM_ECDSA_SHA384        = 0x1045
	CKM_ECDSA_SHA512        = 0x1046

	CKG_MGF1_SHA1   = 1
	CKG_MGF1_SHA256 = 2
	CKG_MGF1_SHA384 = 3
	CKG_MGF1_SHA512 = 4
	CKG_MGF1_SHA224 = 5

	CKZ_DATA_SPECIFIED = 1
)

// Return values that somebody here acts on or answers with.
const (
	CKR_SLOT_ID_INVALID              = 0x3
	CKR_GENERAL_ERROR                = 0x5
	CKR_FUNCTION_FAILED              = 0x6
	CKR_ARGUMENTS_BAD                = 0x7
	CKR_CANT_LOCK                    = 0xa
	CKR_ATTRIBUTE_TYPE_INVALID       = 0x12
	CKR_DATA_INVALID                 = 0x20
	CKR_DATA_LEN_RANGE               = 0x21
	CKR_DEVICE_ERROR                 = 0x30
	CKR_DEVICE_REMOVED               = 0x32
	CKR_ENCRYPTED_DATA_INVALID       = 0x40
	CKR_ENCRYPTED_DATA_LEN_RANGE     = 0x41
	CKR_FUNCTION_NOT_SUPPORTED       = 0x54
	CKR_KEY_TYPE_INCONSISTENT        = 0x63
	CKR_KEY_FUNCTION_NOT_PERMITTED   = 0x68
	CKR_MECHANISM_INVALID            = 0x70
	CKR_MECHANISM_PARAM_INVALID      = 0x71
	CKR_OPERATION_ACTIVE             = 0x90
	CKR_OPERATION_NOT_INITIALIZED    = 0x91
	CKR_PIN_INCORRECT                = 0xa0
	CKR_PIN_INVALID                  = 0xa1
	CKR_PIN_LEN_RANGE                = 0xa2
	CKR_PIN_EXPIRED                  = 0xa3
	CKR_PIN_LOCKED                   = 0xa4
	CKR_SESSION_CLOSED               = 0xb0
	CKR_SESSION_COUNT                = 0xb1
	CKR_SESSION_HANDLE_INVALID       = 0xb3
	CKR_SESSION_READ_ONLY            = 0xb5
	CKR_TOKEN_NOT_PRESENT            = 0xe0
	CKR_TOKEN_NOT_RECOGNIZED         = 0xe1
	CKR_USER_ALREADY_LOGGED_IN       = 0x100
	CKR_USER_NOT_LOGGED_IN           = 0x101
	CKR_USER_PIN_NOT_INITIALIZED     = 0x102
	CKR_USER_TYPE_INVALID            = 0x103
	CKR_BUFFER_TOO_SMALL             = 0x150
	CKR_CRYPTOKI_NOT_INITIALIZED     = 0x190
	CKR_CRYPTOKI_ALREADY_INITIALIZED = 0x191
)
