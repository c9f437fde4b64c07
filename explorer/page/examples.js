/**
 * The examples, by who would ask them. Each runs as it stands against the demonstration; a test validates all of them
 * against the schema, another one runs them.
 *
 * @typedef {{title: string, query: string, variables?: Record<string, unknown>}} Example
 * @typedef {{role: string | null, name: string, about: string, examples: Example[]}} Group
 */

/** @type {Group[]} */
export const GROUPS = [
  {
    role: null,
    name: 'Everyone',
    about: 'whoever is signed in',
    examples: [
      {
        title: 'Who am I, and what may I do?',
        query: `query WhoAmI {
  viewer {
    kind
    staff { name email }
    roles { role store { name } region { name } }
    permissions
    sessions { id createdAt lastUsedAt userAgent present }
  }
}`,
      },
      {
        title: 'The company and its stores',
        query: `query Stores {
  company { name currencyCode country timeZone }
  stores(first: 10) {
    nodes { id code name timeZone region { name } openingHours { weekday opens closes } }
  }
}`,
      },
      {
        title: 'Sign in, as a program does it',
        query: `mutation SignIn($input: SessionCreateInput!) {
  sessionCreate(input: $input) {
    session { accessToken refreshToken expiresAt refreshExpiresAt }
    userErrors { code field message }
  }
}`,
        variables: { input: { email: 'manager@demo.example', password: 'not this one' } },
      },
    ],
  },
  {
    role: 'ADMIN',
    name: 'Administrator',
    about: 'company, staff, audit log, jobs',
    examples: [
      {
        title: 'Staff and their roles',
        query: `query Staff {
  staff(first: 20) {
    nodes { name email enabled grants { role store { name } region { name } } }
    pageInfo { hasNextPage endCursor }
  }
}`,
      },
      {
        title: 'Who read or changed what?',
        query: `query AuditLog {
  auditEntries(first: 20) {
    nodes { at action actorKind actor address customerCount customerIds detail }
  }
}`,
      },
      {
        title: 'Work in the background',
        query: `query Jobs {
  jobs(first: 20) {
    nodes { name state attempts maxAttempts runAt finishedAt lastError }
  }
}`,
      },
      {
        title: 'Give somebody an account',
        query: `mutation CreateStaff($input: StaffCreateInput!) {
  staffCreate(input: $input) {
    staff { id name email grants { role } }
    userErrors { code field message }
  }
}`,
        variables: {
          input: {
            name: 'Ann Lee',
            email: 'ann@shop.example',
            password: 'a long one that nobody guesses',
            grants: [{ role: 'MARKETER' }],
          },
        },
      },
    ],
  },
  {
    role: 'HEADQUARTERS',
    name: 'Headquarters',
    about: 'all stores, the catalogue',
    examples: [
      {
        title: 'The ladder of tiers',
        query: `query Ladder {
  programmes {
    code
    name
    tiers { level name spendThreshold { amount currencyCode } discountPercent }
  }
}`,
      },
      {
        title: 'Find products',
        query: `query FindProducts($words: String) {
  products(first: 10, filter: { query: $words }) {
    nodes { id sku name brand listPrice { amount currencyCode } category { name } unitCost { amount } }
    pageInfo { hasNextPage endCursor }
  }
}`,
        variables: { words: 'tea' },
      },
      {
        title: 'Put a product on the shelf',
        query: `mutation CreateProduct($input: ProductCreateInput!) {
  productCreate(input: $input) {
    product { id version sku name(language: "zh") listPrice { amount currencyCode } }
    userErrors { code field message }
  }
}`,
        variables: {
          input: {
            sku: 'TEA-900',
            barcode: '4006381333931',
            brand: 'Hupao Spring',
            names: [
              { language: 'en', text: 'Dragon Well, first flush' },
              { language: 'zh', text: '明前龙井' },
            ],
            listPrice: { amount: '68.00', currencyCode: 'CNY' },
          },
        },
      },
    ],
  },
  {
    role: 'REGION_MANAGER',
    name: 'Region manager',
    about: 'the stores of their region',
    examples: [
      {
        title: 'Customers with their totals',
        query: `query RegionCustomers {
  customers(first: 10, orderBy: { field: CREATED_AT, direction: DESC }) {
    nodes {
      fullName
      homeStore { name }
      totals { visits net { amount currencyCode } lastVisitOn }
    }
    pageInfo { hasNextPage endCursor }
  }
}`,
      },
    ],
  },
  {
    role: 'STORE_MANAGER',
    name: 'Store manager',
    about: 'their stores, costs, keepers',
    examples: [
      {
        title: 'Customers, cards and last visits',
        query: `query Customers {
  customers(first: 5, orderBy: { field: NAME }) {
    nodes {
      id
      fullName
      card { number status }
      memberships { tier { name } }
      totals { visits net { amount currencyCode } lastVisitOn }
      visits(first: 2) {
        nodes { at outcome purchases { net { amount } lines { name quantity amount { amount } } } }
      }
    }
    pageInfo { hasNextPage endCursor }
  }
}`,
      },
      {
        title: 'Find by any part of a name',
        query: `query FindCustomers($words: String) {
  customers(first: 10, filter: { query: $words }) {
    nodes { id fullName card { number } contactPoints { kind value masked } }
  }
}`,
        variables: { words: '李' },
      },
      {
        title: 'Visits of the store, newest first',
        query: `query Visits {
  visits(first: 10) {
    nodes { at outcome channel servedBy { name } customer { fullName } purchases { net { amount currencyCode } } }
  }
}`,
      },
      {
        title: 'Who walks in, as it happens (with a store’s id)',
        query: `subscription WhoWalksIn($store: ID!) {
  customerArrived(storeId: $store) {
    position
    at
    customer { fullName memberships { tier { name } } }
    arrival { receivedBy { name } }
    visit { outcome }
  }
}`,
        variables: { store: 'put the id of your store here' },
      },
    ],
  },
  {
    role: 'ASSOCIATE',
    name: 'Associate',
    about: 'customers of their store',
    examples: [
      {
        title: 'A customer is here',
        query: `query Arrival {
  customers(first: 1) {
    nodes {
      fullName
      salutation
      birthDate { text age }
      card { number status }
      memberships { tier { name discountPercent } }
      notes(first: 3) { nodes { text writtenAt author { name } } }
      arrivalSheet {
        daysSinceLastVisit
        recentPurchases(first: 3) { lines { name quantity } net { amount currencyCode } }
        likes { value }
        dislikes { value }
        favoriteCategories { category receipts net { amount } lastBoughtOn }
        occasions(withinDays: 30) { on inDays specialDay { label person } }
        openEnquiries { at note }
        announcedVisit { expectedAt note }
      }
    }
  }
}`,
      },
      {
        title: 'New customer',
        query: `mutation CreateCustomer($input: CustomerCreateInput!) {
  customerCreate(input: $input) {
    customer { id version fullName homeStore { code } contactPoints { kind value } }
    userErrors { code field message }
  }
}`,
        variables: {
          input: {
            fullName: 'Lin Wei',
            birthDate: '1990-06-15',
            contactPoints: [{ kind: 'EMAIL', value: 'lin.wei@post.example' }],
          },
        },
      },
      {
        title: 'Record a visit (with a card’s number)',
        query: `mutation RecordVisit($input: VisitRecordInput!) {
  visitRecord(input: $input) {
    visit { id outcome customer { fullName totals { net { amount } } } purchases { net { amount } } }
    userErrors { code field message }
  }
}`,
        variables: {
          input: {
            cardNumber: 'put the number of a card here',
            purchase: {
              receipt: { source: 'till-7', number: '1001' },
              lines: [
                { sku: 'TEA-005', name: 'Jasmine pearls 100 g', category: 'Tea', quantity: '2', amount: { amount: '236.00', currencyCode: 'CNY' } },
              ],
            },
          },
        },
      },
      {
        title: 'Visits, as they are recorded (with a store’s id)',
        query: `subscription VisitsRecorded($store: ID!, $after: EventPosition) {
  visitRecorded(storeId: $store, after: $after) {
    position
    visit { outcome servedBy { name } customer { fullName } purchases { net { amount currencyCode } } }
  }
}`,
        variables: { store: 'put the id of your store here', after: null },
      },
    ],
  },
  {
    role: 'MARKETER',
    name: 'Marketer',
    about: 'customers, contact details masked',
    examples: [
      {
        title: 'Contact details, masked, with consents',
        query: `query Consents {
  customers(first: 10) {
    nodes {
      fullName
      contactPoints { kind value masked consents { purpose granted method recordedAt } }
    }
  }
}`,
      },
    ],
  },
  {
    role: 'ANALYST',
    name: 'Analyst',
    about: 'figures only, no customers',
    examples: [
      {
        title: 'Catalogue and stores',
        query: `query Catalogue {
  categories { name parts { name } }
  stores(first: 10) { nodes { code name region { name } } }
}`,
      },
      {
        title: 'What is refused, and how that looks',
        query: `query Refused {
  customers(first: 1) { nodes { fullName } }
}`,
      },
    ],
  },
];

/** The accounts of the demonstration, which all have one password. The server says whether it is one. */
export const DEMO_PASSWORD = 'regulars-demo';
export const DEMO_ACCOUNTS = [
  { role: 'ADMIN', email: 'admin@demo.example' },
  { role: 'HEADQUARTERS', email: 'headquarters@demo.example' },
  { role: 'REGION_MANAGER', email: 'region@demo.example' },
  { role: 'STORE_MANAGER', email: 'manager@demo.example' },
  { role: 'ASSOCIATE', email: 'associate@demo.example' },
  { role: 'MARKETER', email: 'marketer@demo.example' },
  { role: 'ANALYST', email: 'analyst@demo.example' },
];

/**
 * What a person calls a role.
 * @param {string} role
 */
export function roleName(role) {
  return GROUPS.find((group) => group.role === role)?.name ?? role;
}

/** What stands in the editor when somebody comes for the first time. */
export const WELCOME = `# This is the GraphQL API of a shop that lives from
# customers who come back.
#
# Sign in above, open an example, and run it with the
# button, or with Ctrl+Enter (⌘+Enter). Ctrl+Space
# completes; the book on the left opens the documentation
# of every type and field.
#
# By keyboard: Tab stops at each editor, Enter goes into
# it, Tab leaves it; after Ctrl+M, Tab writes.

query WhoAmI {
  viewer {
    kind
    staff { name }
    roles { role store { name } }
  }
}
`;
