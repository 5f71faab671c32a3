import { Duration } from 'aws-cdk-lib';
import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
import { KeyNamesError } from '../../lib/infra/admission-keys.ts';
import { linesOf, resourcesOf, shortOf, synthesized } from './synthesized.ts';

const template = synthesized();

describe('LedgerTable', () => {
  test('default', () => {
    expect(resourcesOf(template, 'AWS::DynamoDB::Table').LedgerTable).toMatchInlineSnapshot(`
      {
        "DeletionPolicy": "Retain",
        "Properties": {
          "AttributeDefinitions": [
            {
              "AttributeName": "pk",
              "AttributeType": "S",
            },
            {
              "AttributeName": "ro",
              "AttributeType": "S",
            },
            {
              "AttributeName": "ra",
              "AttributeType": "N",
            },
          ],
          "BillingMode": "PAY_PER_REQUEST",
          "DeletionProtectionEnabled": true,
          "GlobalSecondaryIndexes": [
            {
              "IndexName": "open-reservations",
              "KeySchema": [
                {
                  "AttributeName": "ro",
                  "KeyType": "HASH",
                },
                {
                  "AttributeName": "ra",
                  "KeyType": "RANGE",
                },
              ],
              "Projection": {
                "ProjectionType": "KEYS_ONLY",
              },
            },
          ],
          "KeySchema": [
            {
              "AttributeName": "pk",
              "KeyType": "HASH",
            },
          ],
          "PointInTimeRecoverySpecification": {
            "PointInTimeRecoveryEnabled": true,
          },
          "ResourcePolicy": {
            "PolicyDocument": {
              "Statement": [
                {
                  "Action": [
                    "dynamodb:BatchWriteItem",
                    "dynamodb:DeleteItem",
                    "dynamodb:PartiQLDelete",
                    "dynamodb:PartiQLInsert",
                    "dynamodb:PartiQLUpdate",
                    "dynamodb:PutItem",
                    "dynamodb:UpdateItem",
                  ],
                  "Condition": {
                    "ArnNotEquals": {
                      "aws:PrincipalArn": [
                        {
                          "Fn::GetAtt": [
                            "BreakwaterIngestEventsRoleC538F567",
                            "Arn",
                          ],
                        },
                        {
                          "Fn::GetAtt": [
                            "BreakwaterReserveWithdrawalRoleFFC5A132",
                            "Arn",
                          ],
                        },
                        {
                          "Fn::GetAtt": [
                            "BreakwaterCloseWithdrawalRoleEAC87AB6",
                            "Arn",
                          ],
                        },
                        {
                          "Fn::GetAtt": [
                            "BreakwaterOperateBreakerRoleEC9AC99A",
                            "Arn",
                          ],
                        },
                        {
                          "Fn::GetAtt": [
                            "BreakwaterTickRole5A6108F9",
                            "Arn",
                          ],
                        },
                      ],
                    },
                    "ForAnyValue:StringLike": {
                      "dynamodb:LeadingKeys": [
                        "item#*",
                      ],
                    },
                  },
                  "Effect": "Deny",
                  "Principal": {
                    "AWS": "*",
                  },
                  "Resource": "*",
                  "Sid": "OnlyDecisionsWriteBreakers",
                },
                {
                  "Action": [
                    "dynamodb:BatchWriteItem",
                    "dynamodb:DeleteItem",
                    "dynamodb:PartiQLDelete",
                    "dynamodb:PartiQLInsert",
                    "dynamodb:PartiQLUpdate",
                    "dynamodb:PutItem",
                    "dynamodb:UpdateItem",
                  ],
                  "Condition": {
                    "ArnNotEquals": {
                      "aws:PrincipalArn": [
                        {
                          "Fn::GetAtt": [
                            "BreakwaterIngestEventsRoleC538F567",
                            "Arn",
                          ],
                        },
                      ],
                    },
                    "ForAnyValue:StringLike": {
                      "dynamodb:LeadingKeys": [
                        "heartbeat",
                      ],
                    },
                  },
                  "Effect": "Deny",
                  "Principal": {
                    "AWS": "*",
                  },
                  "Resource": "*",
                  "Sid": "OnlyIngestProvesHealth",
                },
                {
                  "Action": [
                    "dynamodb:BatchWriteItem",
                    "dynamodb:DeleteItem",
                    "dynamodb:PartiQLDelete",
                    "dynamodb:PartiQLInsert",
                    "dynamodb:PartiQLUpdate",
                    "dynamodb:PutItem",
                    "dynamodb:UpdateItem",
                  ],
                  "Condition": {
                    "ArnNotEquals": {
                      "aws:PrincipalArn": [
                        {
                          "Fn::GetAtt": [
                            "BreakwaterTickRole5A6108F9",
                            "Arn",
                          ],
                        },
                      ],
                    },
                    "ForAnyValue:StringLike": {
                      "dynamodb:LeadingKeys": [
                        "leases",
                      ],
                    },
                  },
                  "Effect": "Deny",
                  "Principal": {
                    "AWS": "*",
                  },
                  "Resource": "*",
                  "Sid": "OnlyTickRenewsLeases",
                },
                {
                  "Action": [
                    "dynamodb:BatchWriteItem",
                    "dynamodb:DeleteItem",
                    "dynamodb:PartiQLDelete",
                    "dynamodb:PartiQLInsert",
                    "dynamodb:PartiQLUpdate",
                    "dynamodb:PutItem",
                    "dynamodb:UpdateItem",
                  ],
                  "Condition": {
                    "ArnNotEquals": {
                      "aws:PrincipalArn": [
                        {
                          "Fn::GetAtt": [
                            "BreakwaterOperateBreakerRoleEC9AC99A",
                            "Arn",
                          ],
                        },
                        {
                          "Fn::GetAtt": [
                            "BreakwaterTickRole5A6108F9",
                            "Arn",
                          ],
                        },
                      ],
                    },
                    "ForAnyValue:StringLike": {
                      "dynamodb:LeadingKeys": [
                        "row#proposal:*",
                      ],
                    },
                  },
                  "Effect": "Deny",
                  "Principal": {
                    "AWS": "*",
                  },
                  "Resource": "*",
                  "Sid": "OnlyPeopleDecideProposals",
                },
              ],
              "Version": "2012-10-17",
            },
          },
          "SSESpecification": {
            "KMSMasterKeyId": {
              "Fn::GetAtt": [
                "BreakwaterTableKeyF04F6E1F",
                "Arn",
              ],
            },
            "SSEEnabled": true,
            "SSEType": "KMS",
          },
          "TimeToLiveSpecification": {
            "AttributeName": "expiresAtS",
            "Enabled": true,
          },
        },
        "Type": "AWS::DynamoDB::Table",
        "UpdateReplacePolicy": "Retain",
      }
    `);
  });
});

describe('ControlTable', () => {
  test('default', () => {
    expect(resourcesOf(template, 'AWS::DynamoDB::Table').ControlTable).toMatchInlineSnapshot(`
      {
        "DeletionPolicy": "Retain",
        "Properties": {
          "AttributeDefinitions": [
            {
              "AttributeName": "pk",
              "AttributeType": "S",
            },
            {
              "AttributeName": "sk",
              "AttributeType": "S",
            },
          ],
          "BillingMode": "PAY_PER_REQUEST",
          "DeletionProtectionEnabled": true,
          "KeySchema": [
            {
              "AttributeName": "pk",
              "KeyType": "HASH",
            },
            {
              "AttributeName": "sk",
              "KeyType": "RANGE",
            },
          ],
          "PointInTimeRecoverySpecification": {
            "PointInTimeRecoveryEnabled": true,
          },
          "ResourcePolicy": {
            "PolicyDocument": {
              "Statement": [
                {
                  "Action": [
                    "dynamodb:BatchWriteItem",
                    "dynamodb:DeleteItem",
                    "dynamodb:PartiQLDelete",
                    "dynamodb:PartiQLInsert",
                    "dynamodb:PartiQLUpdate",
                    "dynamodb:PutItem",
                    "dynamodb:UpdateItem",
                  ],
                  "Condition": {
                    "ArnNotEquals": {
                      "aws:PrincipalArn": [
                        {
                          "Fn::GetAtt": [
                            "BreakwaterIngestEventsRoleC538F567",
                            "Arn",
                          ],
                        },
                        {
                          "Fn::GetAtt": [
                            "BreakwaterReserveWithdrawalRoleFFC5A132",
                            "Arn",
                          ],
                        },
                        {
                          "Fn::GetAtt": [
                            "BreakwaterCloseWithdrawalRoleEAC87AB6",
                            "Arn",
                          ],
                        },
                        {
                          "Fn::GetAtt": [
                            "BreakwaterOperateBreakerRoleEC9AC99A",
                            "Arn",
                          ],
                        },
                        {
                          "Fn::GetAtt": [
                            "BreakwaterTickRole5A6108F9",
                            "Arn",
                          ],
                        },
                      ],
                    },
                    "ForAnyValue:StringLike": {
                      "dynamodb:LeadingKeys": [
                        "incident",
                        "cause#*",
                      ],
                    },
                  },
                  "Effect": "Deny",
                  "Principal": {
                    "AWS": "*",
                  },
                  "Resource": "*",
                  "Sid": "OnlyDecisionsOpenIncidents",
                },
                {
                  "Action": [
                    "dynamodb:BatchWriteItem",
                    "dynamodb:DeleteItem",
                    "dynamodb:PartiQLDelete",
                    "dynamodb:PartiQLInsert",
                    "dynamodb:PartiQLUpdate",
                    "dynamodb:PutItem",
                    "dynamodb:UpdateItem",
                  ],
                  "Condition": {
                    "ArnNotEquals": {
                      "aws:PrincipalArn": [
                        {
                          "Fn::GetAtt": [
                            "BreakwaterOperateBreakerRoleEC9AC99A",
                            "Arn",
                          ],
                        },
                        {
                          "Fn::GetAtt": [
                            "BreakwaterTickRole5A6108F9",
                            "Arn",
                          ],
                        },
                      ],
                    },
                    "ForAnyValue:StringLike": {
                      "dynamodb:LeadingKeys": [
                        "closed",
                      ],
                    },
                  },
                  "Effect": "Deny",
                  "Principal": {
                    "AWS": "*",
                  },
                  "Resource": "*",
                  "Sid": "OnlyPeopleCloseIncidents",
                },
                {
                  "Action": [
                    "dynamodb:BatchWriteItem",
                    "dynamodb:DeleteItem",
                    "dynamodb:PartiQLDelete",
                    "dynamodb:PartiQLInsert",
                    "dynamodb:PartiQLUpdate",
                    "dynamodb:PutItem",
                    "dynamodb:UpdateItem",
                  ],
                  "Condition": {
                    "ArnNotEquals": {
                      "aws:PrincipalArn": [
                        {
                          "Fn::GetAtt": [
                            "BreakwaterOperateBreakerRoleEC9AC99A",
                            "Arn",
                          ],
                        },
                        {
                          "Fn::GetAtt": [
                            "BreakwaterTickRole5A6108F9",
                            "Arn",
                          ],
                        },
                      ],
                    },
                    "ForAnyValue:StringLike": {
                      "dynamodb:LeadingKeys": [
                        "policy",
                      ],
                    },
                  },
                  "Effect": "Deny",
                  "Principal": {
                    "AWS": "*",
                  },
                  "Resource": "*",
                  "Sid": "OnlyPeopleChangePolicies",
                },
                {
                  "Action": [
                    "dynamodb:BatchWriteItem",
                    "dynamodb:DeleteItem",
                    "dynamodb:PartiQLDelete",
                    "dynamodb:PartiQLInsert",
                    "dynamodb:PartiQLUpdate",
                    "dynamodb:PutItem",
                    "dynamodb:UpdateItem",
                  ],
                  "Condition": {
                    "ArnNotEquals": {
                      "aws:PrincipalArn": [
                        {
                          "Fn::GetAtt": [
                            "BreakwaterOperateBreakerRoleEC9AC99A",
                            "Arn",
                          ],
                        },
                        {
                          "Fn::GetAtt": [
                            "BreakwaterTickRole5A6108F9",
                            "Arn",
                          ],
                        },
                      ],
                    },
                    "ForAnyValue:StringLike": {
                      "dynamodb:LeadingKeys": [
                        "due",
                        "proposal",
                      ],
                    },
                  },
                  "Effect": "Deny",
                  "Principal": {
                    "AWS": "*",
                  },
                  "Resource": "*",
                  "Sid": "OnlyPeopleMoveProposals",
                },
                {
                  "Action": [
                    "dynamodb:BatchWriteItem",
                    "dynamodb:DeleteItem",
                    "dynamodb:PartiQLDelete",
                    "dynamodb:PartiQLInsert",
                    "dynamodb:PartiQLUpdate",
                    "dynamodb:PutItem",
                    "dynamodb:UpdateItem",
                  ],
                  "Condition": {
                    "ArnNotEquals": {
                      "aws:PrincipalArn": [
                        {
                          "Fn::GetAtt": [
                            "BreakwaterOperateBreakerRoleEC9AC99A",
                            "Arn",
                          ],
                        },
                      ],
                    },
                    "ForAnyValue:StringLike": {
                      "dynamodb:LeadingKeys": [
                        "draft",
                      ],
                    },
                  },
                  "Effect": "Deny",
                  "Principal": {
                    "AWS": "*",
                  },
                  "Resource": "*",
                  "Sid": "OnlyPeopleDraftPolicies",
                },
                {
                  "Action": [
                    "dynamodb:BatchWriteItem",
                    "dynamodb:DeleteItem",
                    "dynamodb:PartiQLDelete",
                    "dynamodb:PartiQLInsert",
                    "dynamodb:PartiQLUpdate",
                    "dynamodb:PutItem",
                    "dynamodb:UpdateItem",
                  ],
                  "Condition": {
                    "ArnNotEquals": {
                      "aws:PrincipalArn": [
                        {
                          "Fn::GetAtt": [
                            "BreakwaterOperateBreakerRoleEC9AC99A",
                            "Arn",
                          ],
                        },
                      ],
                    },
                    "ForAnyValue:StringLike": {
                      "dynamodb:LeadingKeys": [
                        "entry",
                      ],
                    },
                  },
                  "Effect": "Deny",
                  "Principal": {
                    "AWS": "*",
                  },
                  "Resource": "*",
                  "Sid": "OnlyCommandsNoteFacts",
                },
                {
                  "Action": [
                    "dynamodb:BatchWriteItem",
                    "dynamodb:DeleteItem",
                    "dynamodb:PartiQLDelete",
                    "dynamodb:PartiQLInsert",
                    "dynamodb:PartiQLUpdate",
                    "dynamodb:PutItem",
                    "dynamodb:UpdateItem",
                  ],
                  "Condition": {
                    "ArnNotEquals": {
                      "aws:PrincipalArn": [
                        {
                          "Fn::GetAtt": [
                            "BreakwaterProjectStateRoleD9B6C6D4",
                            "Arn",
                          ],
                        },
                      ],
                    },
                    "ForAnyValue:StringLike": {
                      "dynamodb:LeadingKeys": [
                        "flag",
                      ],
                    },
                  },
                  "Effect": "Deny",
                  "Principal": {
                    "AWS": "*",
                  },
                  "Resource": "*",
                  "Sid": "OnlyProjectionMirrors",
                },
                {
                  "Action": [
                    "dynamodb:BatchWriteItem",
                    "dynamodb:DeleteItem",
                    "dynamodb:PartiQLDelete",
                    "dynamodb:PartiQLInsert",
                    "dynamodb:PartiQLUpdate",
                    "dynamodb:PutItem",
                    "dynamodb:UpdateItem",
                  ],
                  "Condition": {
                    "ArnNotEquals": {
                      "aws:PrincipalArn": [
                        {
                          "Fn::GetAtt": [
                            "BreakwaterProjectStateRoleD9B6C6D4",
                            "Arn",
                          ],
                        },
                      ],
                    },
                    "ForAnyValue:StringLike": {
                      "dynamodb:LeadingKeys": [
                        "audit",
                        "audit-entry",
                        "audit-head",
                        "audit-wait",
                      ],
                    },
                  },
                  "Effect": "Deny",
                  "Principal": {
                    "AWS": "*",
                  },
                  "Resource": "*",
                  "Sid": "OnlyProjectionAppends",
                },
              ],
              "Version": "2012-10-17",
            },
          },
          "SSESpecification": {
            "KMSMasterKeyId": {
              "Fn::GetAtt": [
                "BreakwaterTableKeyF04F6E1F",
                "Arn",
              ],
            },
            "SSEEnabled": true,
            "SSEType": "KMS",
          },
          "StreamSpecification": {
            "StreamViewType": "NEW_AND_OLD_IMAGES",
          },
        },
        "Type": "AWS::DynamoDB::Table",
        "UpdateReplacePolicy": "Retain",
      }
    `);
  });

  test('behavior: the stream feeds project-state, which its own rows do not wake', () => {
    const mappings = resourcesOf(template, 'AWS::Lambda::EventSourceMapping');
    expect(mappings.ProjectStateFunctionControlStream?.Properties).toMatchInlineSnapshot(`
      {
        "BatchSize": 25,
        "BisectBatchOnFunctionError": true,
        "DestinationConfig": {
          "OnFailure": {
            "Destination": {
              "Fn::GetAtt": [
                "BreakwaterFailedProjections16511054",
                "Arn",
              ],
            },
          },
        },
        "EventSourceArn": {
          "Fn::GetAtt": [
            "BreakwaterControlTableE3EDB0AD",
            "StreamArn",
          ],
        },
        "FilterCriteria": {
          "Filters": [
            {
              "Pattern": "{"dynamodb":{"Keys":{"pk":{"S":[{"anything-but":["flag","page","audit","audit-entry","audit-head","audit-wait","held","grace","watch","draft","due","closed"]}]}}}}",
            },
          ],
        },
        "FunctionName": {
          "Ref": "BreakwaterProjectStateFunction8321BA47",
        },
        "FunctionResponseTypes": [
          "ReportBatchItemFailures",
        ],
        "MaximumBatchingWindowInSeconds": 0,
        "MaximumRecordAgeInSeconds": 3600,
        "MaximumRetryAttempts": 100,
        "StartingPosition": "TRIM_HORIZON",
      }
    `);
  });
});

describe('tableKey', () => {
  test('default: rotates, outlives the stack, and admits no service', () => {
    const key = resourcesOf(template, 'AWS::KMS::Key').TableKey;
    expect(key?.DeletionPolicy).toBe('Retain');
    expect(key?.Properties.EnableKeyRotation).toBe(true);
    expect(linesOf(key?.Properties.KeyPolicy)).toMatchInlineSnapshot(`
      [
        "kms:* on * by AWS=arn:AWS::Partition:iam::AWS::AccountId:root",
      ]
    `);
  });
});

describe('AuditLog', () => {
  const bucketOf = (made: typeof template) =>
    resourcesOf(made, 'AWS::S3::Bucket').AuditBucket as unknown as {
      readonly DeletionPolicy: string;
      readonly Properties: Readonly<Record<string, unknown>>;
    };

  test('default: locked, versioned, encrypted, closed to the public, kept', () => {
    const { DeletionPolicy, Properties } = bucketOf(template);
    expect(DeletionPolicy).toBe('Retain');
    expect(Properties).toMatchObject({
      ObjectLockEnabled: true,
      ObjectLockConfiguration: {
        ObjectLockEnabled: 'Enabled',
        Rule: { DefaultRetention: { Mode: 'GOVERNANCE', Days: 2_555 } },
      },
      VersioningConfiguration: { Status: 'Enabled' },
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
      BucketEncryption: {
        ServerSideEncryptionConfiguration: [
          { ServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms' } },
        ],
      },
    });
  });

  test('args: compliance mode', () => {
    const auditRetention = { mode: 'compliance', for: Duration.days(30) } as const;
    expect(bucketOf(synthesized({ auditRetention })).Properties).toMatchObject({
      ObjectLockConfiguration: { Rule: { DefaultRetention: { Mode: 'COMPLIANCE', Days: 30 } } },
    });
  });

  test('behavior: nothing but TLS reaches it', () => {
    const policies = resourcesOf(template, 'AWS::S3::BucketPolicy');
    const lines = Object.values(policies).flatMap((policy) =>
      linesOf(policy.Properties.PolicyDocument),
    );
    expect(lines.every((line) => line.startsWith('Deny s3:*'))).toBe(true);
    expect(lines.join()).toContain('aws:SecureTransport=false');
  });
});

describe('AdmissionKeys', () => {
  const key = resourcesOf(template, 'AWS::KMS::Key').AdmissionKey;

  test('default: signs with P-256, and outlives the stack', () => {
    expect(key?.DeletionPolicy).toBe('Retain');
    expect(key?.Properties).toMatchObject({
      KeySpec: 'ECC_NIST_P256',
      KeyUsage: 'SIGN_VERIFY',
      PendingWindowInDays: 30,
    });
    const aliases = Object.values(resourcesOf(template, 'AWS::KMS::Alias'));
    expect(aliases.map(({ Properties }) => shortOf(Properties))).toMatchInlineSnapshot(`
      [
        "AliasName=alias/Breakwater-admission TargetKeyId=AdmissionKey",
        "AliasName=alias/Breakwater-audit TargetKeyId=AuditKey",
      ]
    `);
  });

  test('behavior: nobody but reserve-withdrawal signs, administrators included', () => {
    expect(linesOf(key?.Properties.KeyPolicy)).toMatchInlineSnapshot(`
      [
        "kms:* on * by AWS=arn:AWS::Partition:iam::AWS::AccountId:root",
        "Deny kms:Sign on * by AWS=* if ArnNotEquals=aws:PrincipalArn=ReserveWithdrawalRole",
      ]
    `);
  });

  test('behavior: what the function is told of it', () => {
    const fn = resourcesOf(template, 'AWS::Lambda::Function').ReserveWithdrawalFunction;
    const environment = fn?.Properties.Environment as { Variables: Record<string, unknown> };
    const { ADMISSION_KEY_ID, ADMISSION_ISSUER, ADMISSION_AUDIENCE } = environment.Variables;
    expect(
      [ADMISSION_KEY_ID, ADMISSION_ISSUER, ADMISSION_AUDIENCE].map(shortOf),
    ).toMatchInlineSnapshot(`
      [
        "AdmissionKey",
        "breakwater:AWS::AccountId:AWS::Region:Breakwater",
        "signer",
      ]
    `);
  });

  test('args: admissionKeys, through a rotation no key is replaced and one of them signs', () => {
    const steps = [undefined, ['first', 'next'], ['next', 'first'], ['next']];
    const rows = steps.map((admissionKeys) => {
      const made = synthesized(admissionKeys ? { admissionKeys } : {});
      const keys = Object.entries(made.findResources('AWS::KMS::Key')).filter(([id]) =>
        id.includes('Admission'),
      );
      for (const [, { DeletionPolicy, Properties }] of keys) {
        expect(DeletionPolicy).toBe('Retain');
        expect(linesOf(Properties.KeyPolicy)).toContain(
          'Deny kms:Sign on * by AWS=* if ArnNotEquals=aws:PrincipalArn=ReserveWithdrawalRole',
        );
      }
      const fn = resourcesOf(made, 'AWS::Lambda::Function').ReserveWithdrawalFunction;
      const environment = fn?.Properties.Environment as { Variables: Record<string, unknown> };
      const { ADMISSION_KEY_ID, ADMISSION_PUBLISHED_KEY_IDS } = environment.Variables;
      const aliases = Object.values(resourcesOf(made, 'AWS::KMS::Alias'));
      const role = resourcesOf(made, 'AWS::IAM::Policy').ReserveWithdrawalRoleDefaultPolicy;
      const verifiers = resourcesOf(made, 'AWS::IAM::ManagedPolicy').Verifiers;
      return {
        keys: keys.map(([id]) => id),
        aliases: aliases.map(({ Properties }) => shortOf(Properties)),
        signs: shortOf(ADMISSION_KEY_ID),
        publishes: shortOf(ADMISSION_PUBLISHED_KEY_IDS),
        role: linesOf(role?.Properties.PolicyDocument).filter((line) => /GetPublicKey/.test(line)),
        verifiers: linesOf(verifiers?.Properties.PolicyDocument),
        output: shortOf(made.findOutputs('AdmissionKeyArns').AdmissionKeyArns?.Value),
      };
    });
    expect(rows).toMatchInlineSnapshot(`
      [
        {
          "aliases": [
            "AliasName=alias/Breakwater-admission TargetKeyId=AdmissionKey",
            "AliasName=alias/Breakwater-audit TargetKeyId=AuditKey",
          ],
          "keys": [
            "BreakwaterAdmissionKeyCCAA7598",
          ],
          "output": "AdmissionKey",
          "publishes": "undefined",
          "role": [
            "kms:GetPublicKey kms:Sign on AdmissionKey",
          ],
          "signs": "AdmissionKey",
          "verifiers": [
            "kms:GetPublicKey on AdmissionKey",
          ],
        },
        {
          "aliases": [
            "AliasName=alias/Breakwater-admission TargetKeyId=AdmissionKey",
            "AliasName=alias/Breakwater-admission-next TargetKeyId=AdmissionKeynext",
            "AliasName=alias/Breakwater-audit TargetKeyId=AuditKey",
          ],
          "keys": [
            "BreakwaterAdmissionKeyCCAA7598",
            "BreakwaterAdmissionKeynext56130DDF",
          ],
          "output": "AdmissionKey,AdmissionKeynext",
          "publishes": "AdmissionKeynext",
          "role": [
            "kms:GetPublicKey kms:Sign on AdmissionKey",
            "kms:GetPublicKey on AdmissionKeynext",
          ],
          "signs": "AdmissionKey",
          "verifiers": [
            "kms:GetPublicKey on AdmissionKey AdmissionKeynext",
          ],
        },
        {
          "aliases": [
            "AliasName=alias/Breakwater-admission-next TargetKeyId=AdmissionKeynext",
            "AliasName=alias/Breakwater-admission TargetKeyId=AdmissionKey",
            "AliasName=alias/Breakwater-audit TargetKeyId=AuditKey",
          ],
          "keys": [
            "BreakwaterAdmissionKeynext56130DDF",
            "BreakwaterAdmissionKeyCCAA7598",
          ],
          "output": "AdmissionKeynext,AdmissionKey",
          "publishes": "AdmissionKey",
          "role": [
            "kms:GetPublicKey kms:Sign on AdmissionKeynext",
            "kms:GetPublicKey on AdmissionKey",
          ],
          "signs": "AdmissionKeynext",
          "verifiers": [
            "kms:GetPublicKey on AdmissionKey AdmissionKeynext",
          ],
        },
        {
          "aliases": [
            "AliasName=alias/Breakwater-admission-next TargetKeyId=AdmissionKeynext",
            "AliasName=alias/Breakwater-audit TargetKeyId=AuditKey",
          ],
          "keys": [
            "BreakwaterAdmissionKeynext56130DDF",
          ],
          "output": "AdmissionKeynext",
          "publishes": "undefined",
          "role": [
            "kms:GetPublicKey kms:Sign on AdmissionKeynext",
          ],
          "signs": "AdmissionKeynext",
          "verifiers": [
            "kms:GetPublicKey on AdmissionKeynext",
          ],
        },
      ]
    `);
  });

  test.each([
    [[]],
    [['first', 'first']],
    [['First']],
    [['-next']],
    [['a,b']],
    [['x'.repeat(33)]],
    [['']],
  ])('error: admissionKeys %o', (admissionKeys) => {
    expect(() => synthesized({ admissionKeys })).toThrow(KeyNamesError);
  });

  test('args: admissionAudience', () => {
    synthesized({ admissionAudience: 'signer-7' }).hasResourceProperties('AWS::Lambda::Function', {
      Environment: { Variables: Match.objectLike({ ADMISSION_AUDIENCE: 'signer-7' }) },
    });
  });
});

describe('EventsIngress', () => {
  const queues = resourcesOf(template, 'AWS::SQS::Queue');

  test('default: queues, and where each sends what fails', () => {
    const rows = Object.entries(queues).map(([name, { Properties }]) => {
      const redrive = Properties.RedrivePolicy;
      return `${name} visible=${Properties.VisibilityTimeout} ${redrive ? shortOf(redrive) : ''}`;
    });
    expect(rows).toMatchInlineSnapshot(`
      [
        "IngressDeadLetters visible=undefined ",
        "IngressRejects visible=undefined ",
        "IngressEvents visible=90 deadLetterTargetArn=IngressDeadLetters maxReceiveCount=30",
        "AlertsFailedCommands visible=undefined ",
        "FailedProjections visible=undefined ",
      ]
    `);
  });

  test('default: every queue is encrypted and keeps its messages for fourteen days', () => {
    for (const { Properties, DeletionPolicy } of Object.values(queues)) {
      expect(Properties).toMatchObject({ SqsManagedSseEnabled: true });
      expect(Properties.MessageRetentionPeriod).toBe(14 * 24 * 3600);
      expect(DeletionPolicy).toBe('Retain');
    }
  });

  test('behavior: events wait six times as long as a run of ingest-events may take', () => {
    const functions = resourcesOf(template, 'AWS::Lambda::Function');
    const timeoutS = Number(functions.IngestEventsFunction?.Properties.Timeout);
    expect(queues.IngressEvents?.Properties.VisibilityTimeout).toBe(6 * timeoutS);
  });

  test('behavior: every event of this account is routed, whatever its detail type', () => {
    const rule = resourcesOf(template, 'AWS::Events::Rule').IngressToQueue;
    expect(rule?.Properties).toMatchInlineSnapshot(`
      {
        "Description": "Breakwater: every event of the bus to the events queue",
        "EventBusName": {
          "Ref": "BreakwaterIngressBusC8B73183",
        },
        "EventPattern": {
          "account": [
            {
              "Ref": "AWS::AccountId",
            },
          ],
        },
        "State": "ENABLED",
        "Targets": [
          {
            "Arn": {
              "Fn::GetAtt": [
                "BreakwaterIngressEventsBD0A5BE1",
                "Arn",
              ],
            },
            "DeadLetterConfig": {
              "Arn": {
                "Fn::GetAtt": [
                  "BreakwaterIngressDeadLetters30447900",
                  "Arn",
                ],
              },
            },
            "Id": "Target0",
          },
        ],
      }
    `);
  });

  test('behavior: ingest-events takes batches and answers for each event', () => {
    const mappings = resourcesOf(template, 'AWS::Lambda::EventSourceMapping');
    expect(mappings.IngestEventsFunctionEvents?.Properties).toMatchInlineSnapshot(`
      {
        "BatchSize": 25,
        "EventSourceArn": {
          "Fn::GetAtt": [
            "BreakwaterIngressEventsBD0A5BE1",
            "Arn",
          ],
        },
        "FunctionName": {
          "Ref": "BreakwaterIngestEventsFunctionEEB6B417",
        },
        "FunctionResponseTypes": [
          "ReportBatchItemFailures",
        ],
        "MaximumBatchingWindowInSeconds": 0,
        "ScalingConfig": {
          "MaximumConcurrency": 5,
        },
      }
    `);
  });

  test('behavior: the bus is open to no other account', () => {
    template.resourceCountIs('AWS::Events::EventBusPolicy', 0);
  });

  test('args: producerAccountIds', () => {
    const opened = synthesized({ producerAccountIds: ['111122223333'] });
    opened.hasResourceProperties('AWS::Events::EventBusPolicy', {
      StatementId: 'cdk-ProducerAccounts',
      Statement: {
        Action: 'events:PutEvents',
        Condition: {
          StringEquals: {
            'events:detail-type': ['withdrawal.reported', 'batch.declared', 'outflow.observed'],
          },
        },
        Principal: { AWS: Match.objectLike({}) },
      },
    });
    opened.hasResourceProperties('AWS::Events::Rule', {
      EventPattern: { account: [{ Ref: 'AWS::AccountId' }, '111122223333'] },
    });
  });

  test('args: eventReceivesMax, ingestConcurrencyMax', () => {
    const tuned = synthesized({ eventReceivesMax: 7, ingestConcurrencyMax: 2 });
    tuned.hasResourceProperties('AWS::SQS::Queue', {
      RedrivePolicy: Match.objectLike({ maxReceiveCount: 7 }),
    });
    tuned.hasResourceProperties('AWS::Lambda::EventSourceMapping', {
      ScalingConfig: { MaximumConcurrency: 2 },
    });
  });
});

describe('Alerts', () => {
  test('default: topics are encrypted and take TLS only; alarms of this account may alert', () => {
    const policies = Object.entries(resourcesOf(template, 'AWS::SNS::TopicPolicy'));
    const rows = policies.flatMap(([name, { Properties }]) =>
      linesOf(Properties.PolicyDocument).map((line) => `${name}: ${line}`),
    );
    expect(rows).toMatchInlineSnapshot(`
      [
        "AlertsAlertPolicy: Deny sns:Publish on AlertsAlert by * if Bool=aws:SecureTransport=false",
        "AlertsAlertPolicy: sns:Publish on AlertsAlert by Service=cloudwatch.amazonaws.com if StringEquals=aws:SourceAccount=AWS::AccountId",
        "AlertsAlertPolicy: Deny sns:Publish on AlertsAlert by AWS=* if Bool=aws:PrincipalIsAWSService=false ArnNotEquals=aws:PrincipalArn=ProjectStateRole TickRole RunDrillRole",
        "AlertsNoticePolicy: Deny sns:Publish on AlertsNotice by * if Bool=aws:SecureTransport=false",
        "AlertsNoticePolicy: sns:Publish on AlertsNotice by Service=cloudwatch.amazonaws.com if StringEquals=aws:SourceAccount=AWS::AccountId",
        "AlertsNoticePolicy: Deny sns:Publish on AlertsNotice by AWS=* if Bool=aws:PrincipalIsAWSService=false",
        "AlertsControlPolicy: Deny sns:Publish on AlertsControl by * if Bool=aws:SecureTransport=false",
      ]
    `);
    template.allResourcesProperties('AWS::SNS::Topic', { KmsMasterKeyId: Match.anyValue() });
  });

  test('default: the key of the topics', () => {
    const key = resourcesOf(template, 'AWS::KMS::Key').AlertsTopicKey;
    expect(linesOf(key?.Properties.KeyPolicy)).toMatchInlineSnapshot(`
      [
        "kms:* on * by AWS=arn:AWS::Partition:iam::AWS::AccountId:root",
        "kms:Decrypt kms:GenerateDataKey on * by Service=cloudwatch.amazonaws.com",
      ]
    `);
  });

  test('behavior: a command that is not carried out is kept', () => {
    template.hasResourceProperties('AWS::SNS::Subscription', {
      Protocol: 'lambda',
      RedrivePolicy: Match.objectLike({ deadLetterTargetArn: Match.anyValue() }),
    });
    template.hasResourceProperties('AWS::Lambda::EventInvokeConfig', {
      MaximumEventAgeInSeconds: 300,
      MaximumRetryAttempts: 2,
      DestinationConfig: { OnFailure: Match.objectLike({}) },
    });
  });

  test('args: alertEmails', () => {
    synthesized({ alertEmails: ['on-call@example.com'] }).hasResourceProperties(
      'AWS::SNS::Subscription',
      { Protocol: 'email', Endpoint: 'on-call@example.com' },
    );
  });
});

describe('BreakwaterFunction', () => {
  test('default: the same runtime for all', () => {
    template.allResourcesProperties('AWS::Lambda::Function', {
      Runtime: 'nodejs24.x',
      Architectures: ['arm64'],
      Handler: 'index.handler',
      TracingConfig: { Mode: 'Active' },
      LoggingConfig: Match.objectLike({ LogFormat: 'JSON' }),
    });
    template.allResourcesProperties('AWS::Logs::LogGroup', { RetentionInDays: 365 });
  });

  test('behavior: a function is made after everything that its role may do', () => {
    for (const fn of Object.values(resourcesOf(template, 'AWS::Lambda::Function'))) {
      expect(fn.DependsOn).toEqual(
        expect.arrayContaining([
          expect.stringContaining('RoleDefaultPolicy'),
          expect.stringContaining('Tracing'),
        ]),
      );
    }
  });

  test('args: reservedConcurrency', () => {
    synthesized({ reservedConcurrency: { tick: 2 } }).hasResourceProperties(
      'AWS::Lambda::Function',
      { FunctionName: 'Breakwater-tick', ReservedConcurrentExecutions: 2 },
    );
  });
});

describe('Breakwater', () => {
  test('default: names, time-outs and ways in', () => {
    const functions = Object.values(resourcesOf(template, 'AWS::Lambda::Function'));
    const rows = functions.map(
      ({ Properties }) => `${Properties.FunctionName} ${Properties.Timeout} s`,
    );
    expect(rows).toMatchInlineSnapshot(`
      [
        "Breakwater-ingest-events 15 s",
        "Breakwater-reserve-withdrawal 8 s",
        "Breakwater-close-withdrawal 8 s",
        "Breakwater-project-state 30 s",
        "Breakwater-operate-breaker 20 s",
        "Breakwater-tick 70 s",
        "Breakwater-run-drill 180 s",
      ]
    `);
    template.resourceCountIs('AWS::Lambda::Url', 3);
    template.allResourcesProperties('AWS::Lambda::Url', { AuthType: 'AWS_IAM' });
    template.hasResourceProperties('AWS::Events::Rule', { ScheduleExpression: 'rate(1 minute)' });
  });

  test('behavior: nothing outside may invoke a function but its own rule and topic', () => {
    const permissions = Object.values(resourcesOf(template, 'AWS::Lambda::Permission'));
    const rows = permissions.map(({ Properties }) => shortOf(Properties));
    expect(rows).toMatchInlineSnapshot(`
      [
        "Action=lambda:InvokeFunction FunctionName=OperateBreakerFunction Principal=sns.amazonaws.com SourceArn=AlertsControl",
        "Action=lambda:InvokeFunction FunctionName=TickFunction Principal=events.amazonaws.com SourceArn=EveryMinute",
        "Action=lambda:InvokeFunction FunctionName=RunDrillFunction Principal=events.amazonaws.com SourceArn=DrillWeekly",
      ]
    `);
  });

  test('args: tickLoopMs', () => {
    synthesized({ tickLoopMs: 2000 }).hasResourceProperties('AWS::Lambda::Function', {
      Environment: { Variables: Match.objectLike({ TICK_LOOP_MS: '2000' }) },
    });
  });
});

describe('BreakwaterStack', () => {
  test('default: outputs', () => {
    const outputs = template.findOutputs('*');
    const rows = Object.entries(outputs).map(([name, { Value }]) => `${name}: ${shortOf(Value)}`);
    expect(rows).toMatchInlineSnapshot(`
      [
        "OperatorPolicyArn: Operators",
        "ProducerPolicyArn: Producers",
        "CloserPolicyArn: Closers",
        "ReserverPolicyArn: Reservers",
        "VerifierPolicyArn: Verifiers",
        "FlagReaderPolicyArn: FlagReaders",
        "ReserveUrl: ReserveWithdrawalFunctionFunctionUrl.FunctionUrl",
        "CloseUrl: CloseWithdrawalFunctionFunctionUrl.FunctionUrl",
        "AdmissionKeyArn: AdmissionKey",
        "AdmissionKeyArns: AdmissionKey",
        "AuditKeyArn: AuditKey",
        "AuditBucketName: AuditBucket",
        "OperateUrl: OperateBreakerFunctionFunctionUrl.FunctionUrl",
        "LedgerTableName: LedgerTable",
        "ControlTableName: ControlTable",
        "EventBusName: IngressBus",
        "AlertTopicArn: AlertsAlert",
        "NoticeTopicArn: AlertsNotice",
        "ControlTopicArn: AlertsControl",
        "CliHint: breakwater status --stack Breakwater --region AWS::Region",
      ]
    `);
  });
});
